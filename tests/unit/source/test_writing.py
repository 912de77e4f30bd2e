"""What others commit decides what is in a repository, never what is written outside of it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.source.working_tree import WorkingTree
from reconciler.source.writing import write_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "fleet/manifests").mkdir(parents=True)
    (tmp_path / "outside").write_text("precious")
    return tmp_path / "fleet"


def outside(root: Path) -> str:
    return (root.parent / "outside").read_text()


def test_a_file_is_made_with_its_folders(root: Path) -> None:
    write_file(root, "manifests/hosts/web.yaml", "kind: Host\n")
    assert (root / "manifests/hosts/web.yaml").read_text() == "kind: Host\n"


def test_a_file_gets_another_text_and_keeps_its_mode(root: Path) -> None:
    (root / "a").touch(0o640)
    WorkingTree(root).rewrite("a", "new")
    assert ((root / "a").read_text(), stat.S_IMODE((root / "a").stat().st_mode)) == ("new", 0o640)
    assert sorted(path.name for path in root.iterdir()) == ["a", "manifests"]


def test_a_link_within_the_repository_is_followed(root: Path) -> None:
    (root / "a").touch()
    (root / "manifests/b").symlink_to("../a")
    write_file(root, "manifests/b", "new")
    assert ((root / "a").read_text(), (root / "manifests/b").is_symlink()) == ("new", True)


@pytest.mark.parametrize("link", ["manifests/a", "manifests"])
def test_a_link_that_leads_out_of_it_is_not(root: Path, link: str) -> None:
    (root / "manifests").rename(root / "before") if link == "manifests" else None
    (root / link).symlink_to(root.parent / "outside")
    with pytest.raises(InvalidInput, match="leads out of the repository"):
        write_file(root, "manifests/a", "new")
    assert outside(root) == "precious"


def test_nor_is_one_that_bears_the_name_of_what_is_written_beside_the_file(root: Path) -> None:
    (root / "manifests/a").touch()
    (root / "manifests/.a.new").symlink_to(root.parent / "outside")
    write_file(root, "manifests/a", "new")
    assert ((root / "manifests/a").read_text(), outside(root)) == ("new", "precious")


def test_what_cannot_be_written_is_told(root: Path) -> None:
    (root / "a").mkdir()
    with pytest.raises(InvalidInput, match="a cannot be written: Is a directory"):
        write_file(root, "a", "new")
