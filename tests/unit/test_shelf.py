"""What is kept on disk between commands: ours alone, or not used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.shelf import Shelf, code_version


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "new" / "shelf"


def test_what_was_kept_is_there_until_it_is_removed(directory: Path) -> None:
    Shelf(directory).write("a", b"1")
    Shelf(directory).write("a", b"2")
    assert Shelf(directory).read("a") == b"2"

    Shelf(directory).remove("a")
    assert (Shelf(directory).read("a"), Shelf(directory).names()) == (None, [])


def test_names_come_oldest_first(directory: Path) -> None:
    for name in ("c", "a", "b"):
        Shelf(directory).write(name, b"")
    Shelf(directory).write("c", b"anew")

    assert Shelf(directory).names() == ["a", "b", "c"]


def test_what_another_process_removes_meanwhile_has_no_name(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        Shelf(directory).write(name, b"")
    listed = os.scandir

    @contextmanager
    def scandir(path: Path) -> Iterator[list[os.DirEntry[str]]]:
        with listed(path) as entries:
            found = list(entries)
        (directory / "a").unlink()
        yield found

    monkeypatch.setattr(os, "scandir", scandir)
    assert Shelf(directory).names() == ["b"]


def test_what_cannot_be_written_leaves_nothing(directory: Path) -> None:
    (directory / "a").mkdir(parents=True)
    directory.chmod(0o700)

    Shelf(directory).write("a", b"1")
    assert [path.name for path in directory.iterdir()] == ["a"]


def test_only_we_may_look(directory: Path) -> None:
    Shelf(directory).write("a", b"1")

    assert [path.stat().st_mode & 0o777 for path in (directory, directory / "a")] == [0o700, 0o600]


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_directory_that_others_may_write_holds_nothing(directory: Path, mode: int) -> None:
    Shelf(directory).write("a", b"1")
    directory.chmod(mode)

    Shelf(directory).write("b", b"2")
    assert (Shelf(directory).read("a"), Shelf(directory).names()) == (None, [])
    assert not (directory / "b").exists()


def test_a_link_to_a_directory_is_not_followed(directory: Path, tmp_path: Path) -> None:
    Shelf(directory).write("a", b"1")
    (tmp_path / "link").symlink_to(directory)

    assert Shelf(tmp_path / "link").read("a") is None


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file")

    shelf.write("a", b"1")
    shelf.remove("a")
    assert (shelf.read("a"), shelf.names()) == (None, [])


def test_the_version_of_the_code_changes_with_those_of_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        code_version.cache_clear()
        return code_version()

    installed = tmp_path / "jinja2-3.1.0.dist-info"
    installed.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    before = version()
    assert version() == before

    installed.rename(tmp_path / "jinja2-3.1.1.dist-info")
    assert version() != before
