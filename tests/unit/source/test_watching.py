"""A change of the working tree is told once things are quiet."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from shutil import rmtree

import pytest

from reconciler.errors import Unavailable
from reconciler.source import watching
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(watching, "CHECK_MILLISECONDS", 50)
    (tmp_path / "manifests").mkdir()
    return tmp_path


@contextmanager
def watched(root: Path) -> Iterator[Queue[frozenset[str]]]:
    """What is told of a folder after the first set, which says that the watch stands."""
    told: Queue[frozenset[str]] = Queue()
    stop = threading.Event()

    def listen() -> None:
        for changed in watching.watch_changes(root, stop):
            told.put(changed)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert told.get(timeout=PATIENCE_SECONDS) == {"manifests", "templates"}
        yield told
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "the watch ends with its event"


def wait_for(told: Queue[frozenset[str]], path: str) -> None:
    """Read until the path was told (queue.Empty if it never is)."""
    while path not in told.get(timeout=PATIENCE_SECONDS):
        pass


def write_until_told(file: Path, told: Queue[frozenset[str]]) -> None:
    """Write a file again and again: what is written before the watch stands again is told as a whole folder."""
    path = f"{file.parent.name}/{file.name}"
    for number in range(round(PATIENCE_SECONDS)):
        file.write_text(str(number))
        with suppress(Empty):
            while path not in told.get(timeout=1.0):
                pass
            return
    pytest.fail(f"{path} was never told")


def test_a_changed_file_is_told_by_its_path(root: Path) -> None:
    (root / "templates" / "nginx").mkdir(parents=True)
    with watched(root) as told:
        (root / "templates" / "nginx" / "site.conf").write_text("x")
        wait_for(told, "templates/nginx/site.conf")


def test_files_elsewhere_are_not_watched(root: Path) -> None:
    with watched(root) as told:
        (root / "notes.txt").write_text("x")
        (root / "manifests" / "end.yaml").write_text("x")
        changed = told.get(timeout=PATIENCE_SECONDS)
        assert {path.partition("/")[0] for path in changed} == {"manifests"}


def test_a_folder_that_appears_later_is_watched_from_then_on(root: Path) -> None:
    with watched(root) as told:
        (root / "templates").mkdir()
        wait_for(told, "templates")
        (root / "templates" / "a").touch()
        wait_for(told, "templates/a")


def test_a_folder_that_git_replaces_is_still_watched(root: Path) -> None:
    with watched(root) as told:
        (root / "manifests").rename(root / "old")
        (root / "manifests").mkdir()
        write_until_told(root / "manifests" / "new.yaml", told)


def test_without_any_folder_the_watch_waits_for_one(root: Path) -> None:
    rmtree(root / "manifests")
    with watched(root) as told:
        (root / "manifests").mkdir()
        write_until_told(root / "manifests" / "new.yaml", told)


def test_folders_that_go_are_told(root: Path) -> None:
    with watched(root) as told:
        rmtree(root / "manifests")
        wait_for(told, "manifests")


def test_an_event_that_is_already_set_ends_the_watch_at_once(root: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert list(watching.watch_changes(root, stop)) == []


def test_half_a_checkout_is_not_told(root: Path) -> None:
    (root / ".git").mkdir()
    with watched(root) as told:
        lock = root / ".git" / "index.lock"
        lock.touch()
        (root / "manifests" / "a.yaml").touch()
        with pytest.raises(Empty):
            told.get(timeout=0.3)
        lock.unlink()
        wait_for(told, "manifests/a.yaml")


def test_a_lock_that_git_left_behind_does_not_hold_a_change_for_ever(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST_CHECKOUT_SECONDS", 0)
    (root / ".git").mkdir()
    (root / ".git" / "index.lock").touch()
    with watched(root) as told:
        (root / "manifests" / "a.yaml").touch()
        wait_for(told, "manifests/a.yaml")


def test_a_limit_of_the_system_is_told_with_the_remedy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Iterator[object]:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", full)
    with pytest.raises(Unavailable, match="Raise the limit: sysctl"):
        next(watching.watch_changes(root, threading.Event()))


@pytest.mark.parametrize("git", [".", ".git"])
def test_a_branch_that_moves_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: str) -> None:
    monkeypatch.setattr(watching, "CHECK_MILLISECONDS", 50)
    heads = tmp_path / git / "refs" / "heads"
    heads.mkdir(parents=True)
    stop = threading.Event()
    moves = watching.watch_references(tmp_path, stop)
    next(moves)  # the watch stands
    (heads / "main").write_text("a" * 40)
    next(moves)
    stop.set()
    assert list(moves) == []


def test_what_is_no_repository_has_no_branches_to_watch(tmp_path: Path) -> None:
    assert list(watching.watch_references(tmp_path, threading.Event())) == []
