"""What stands in the state directory is believed, so it must come from this machine alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.source import git
from reconciler.source.state import check_state_dir, prepare_state_dir


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def tracked(repository: Path, path: str) -> None:
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text("x")
    subprocess.run(["git", "-C", str(repository), "add", "-f", path], check=True)


def refusal(state_dir: Path) -> str:
    with pytest.raises(InvalidInput) as refused:
        check_state_dir(state_dir)
    assert refused.value.problems[0].code == "unsafe-state"
    return str(refused.value)


def test_one_of_our_own_is_fine_and_so_is_none(repository: Path) -> None:
    state_dir = repository / ".reconciler"
    check_state_dir(state_dir)
    prepare_state_dir(state_dir)
    (state_dir / "store").mkdir()
    check_state_dir(state_dir)


@pytest.mark.parametrize("path", ["store/server.socket", "sandbox/web-1/var/lib/reconciler/ledger.json", "a\nb"])
def test_a_file_that_git_tracks_is_named_with_the_way_to_remove_it(repository: Path, path: str) -> None:
    tracked(repository, f".reconciler/{path}")
    told = refusal(repository / ".reconciler")
    assert f"{repository}/.reconciler/{path} comes from the repository" in told
    assert f"git -C {repository} rm -r .reconciler" in told


def test_below_the_top_of_the_repository_it_is_found_as_well(repository: Path) -> None:
    tracked(repository, "fleets/one/.reconciler/keys/controller.ed25519")
    assert "comes from the repository" in refusal(repository / "fleets/one/.reconciler")
    (repository / "fleets/two/.reconciler").mkdir(parents=True, mode=0o700)
    check_state_dir(repository / "fleets/two/.reconciler")


def test_in_a_folder_that_looks_like_a_repository_it_is_found_as_well(repository: Path) -> None:
    tracked(repository, "fleets/one/.reconciler/keys/controller.ed25519")
    subprocess.run(["git", "init", "-q", "--bare", str(repository / "fleets/one")], check=True)
    assert "comes from the repository" in refusal(repository / "fleets/one/.reconciler")


def test_behind_a_link_it_is_found_as_well(repository: Path) -> None:
    tracked(repository, "fleets/one/.reconciler/keys/controller.ed25519")
    (repository / "main").symlink_to("fleets/one")
    assert "comes from the repository" in refusal(repository / "main/.reconciler")


def open_to(mode: int) -> Callable[[Path], None]:
    def plant(place: Path) -> None:
        place.mkdir()
        place.chmod(mode)

    return plant


_PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link": (lambda place: place.symlink_to("/tmp"), "is a link"),
    "a file": (Path.touch, "is not a directory"),
    "writable by all": (open_to(0o777), "can be written by others"),
    "writable by the group": (open_to(0o770), "can be written by others"),
}


@pytest.mark.parametrize("kind", _PLANTED)
def test_what_others_could_have_filled_is_refused(tmp_path: Path, kind: str) -> None:
    plant, why = _PLANTED[kind]
    plant(tmp_path / ".reconciler")
    assert why in refusal(tmp_path / ".reconciler")


@pytest.mark.skipif(os.geteuid() != 0, reason="giving directories to others needs root")
def test_another_users_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".reconciler").mkdir()
    os.chown(tmp_path / ".reconciler", 12345, 12345)
    assert "belongs to another user" in refusal(tmp_path / ".reconciler")


def test_git_is_asked_only_where_there_is_something_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("git was asked")

    monkeypatch.setattr(git, "run", asked)
    check_state_dir(tmp_path / ".reconciler")
    (tmp_path / ".reconciler").mkdir(mode=0o700)
    if not any((parent / ".git").exists() for parent in tmp_path.parents):
        check_state_dir(tmp_path / ".reconciler")


def test_where_it_cannot_be_made_that_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput) as refused:
        prepare_state_dir(tmp_path / "file/.reconciler")
    assert f"cannot make {tmp_path}/file/.reconciler: Not a directory" in str(refused.value)
    assert "RECONCILER_STATE_DIR" in refused.value.problems[0].hint
