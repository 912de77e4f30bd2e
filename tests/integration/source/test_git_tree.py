"""Any revision of a repository reads like the working tree that it was."""

from pathlib import Path

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.source.git_tree import GitTrees
from reconciler.source.working_tree import WorkingTree
from tests.integration.source.conftest import Repository

LINKS = "A link must lead to a file below manifests/ or templates/"
FILES: dict[str, str | bytes] = {
    "manifests/hosts/web.yaml": "kind: Host\n",
    "manifests/notes.txt": "not a manifest",
    "templates/größe.j2": "größe",
    "templates/nginx/site.j2": b"\x00\xff binary \r\n",
}


def read(root: Path, ref: str) -> dict[str, bytes]:
    with GitTrees(root) as source:
        return {path: file.read() for path, file in source.tree(ref).files.items()}


def refused(root: Path, ref: str) -> str:
    with pytest.raises(InvalidInput) as error:
        read(root, ref)
    return str(error.value)


def test_a_commit_reads_exactly_like_the_working_tree_that_it_came_from(repository: Repository) -> None:
    repository.write(FILES)
    repository.link("templates/link.j2", "nginx/site.j2")
    repository.commit()
    on_disk = WorkingTree(repository.root).tree()
    with GitTrees(repository.root) as source:
        tree = source.tree("HEAD")
        assert {path: (file.blob, file.read()) for path, file in tree.files.items()} == {
            path: (file.blob, file.read()) for path, file in on_disk.files.items()
        }
        assert list(tree.files) == list(on_disk.files)
        assert tree.revision.commit == on_disk.revision.commit


def test_an_older_revision_is_read_without_touching_the_working_tree(repository: Repository) -> None:
    repository.commit(files={"manifests/a.yaml": "old"})
    repository.git("tag", "v1")
    repository.commit(files={"manifests/a.yaml": "new"})
    repository.write({"manifests/a.yaml": "newest", "manifests/b.yaml": "untracked"})
    assert read(repository.root, "v1") == {"manifests/a.yaml": b"old"}
    assert read(repository.root, "main") == {"manifests/a.yaml": b"new"}
    assert (repository.root / "manifests/a.yaml").read_text() == "newest"


@pytest.mark.parametrize("ref", ["main", "HEAD", "HEAD~0", "v1", "refs/heads/main"])
def test_any_name_that_git_knows_will_do(repository: Repository, ref: str) -> None:
    commit = repository.commit("One\n\nReconcile-Allow-Deletes: 1\nReconcile-Allow-Deletes: 2", FILES)
    repository.git("tag", "-a", "v1", "-m", "annotated")
    with GitTrees(repository.root) as source:
        revision = source.tree(ref).revision
    assert revision.commit == commit
    assert revision.trailers == {"Reconcile-Allow-Deletes": "2"}
    assert not revision.dirty


def test_a_bare_repository_and_a_folder_of_a_larger_one_can_be_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit(files={"manifests/a.yaml": "top", "ops/manifests/a.yaml": "inner"})
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert read(tmp_path / "bare.git", "main") == {"manifests/a.yaml": b"top"}
    assert read(repository.root / "ops", "main") == {"manifests/a.yaml": b"inner"}


def test_files_that_look_like_a_repository_are_none(repository: Repository) -> None:
    repository.commit(files={"ops/manifests/a.yaml": "inner"})
    repository.disguise("ops", "cat")
    assert read(repository.root / "ops", "main") == {"manifests/a.yaml": b"inner"}


def test_an_unknown_revision_is_told_with_the_likely_one(repository: Repository, tmp_path: Path) -> None:
    repository.commit(files=FILES)
    repository.git("branch", "production")
    assert refused(repository.root, "prodution") == (
        "'prodution' is no revision of this repository. Did you mean production?"
    )
    clone = Repository(tmp_path / "clone")
    clone.git("remote", "add", "origin", str(repository.root))
    clone.git("fetch", "--quiet", "origin")
    assert refused(clone.root, "main") == "'main' is no revision of this repository. Did you mean origin/main?"


def test_a_shallow_clone_says_so(repository: Repository, tmp_path: Path) -> None:
    old = repository.commit(files=FILES)
    repository.commit("second")
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(clone))
    assert "This clone is shallow" in refused(clone, old)


@pytest.mark.parametrize("ref", ["", "--all", "--output=/tmp/x", "HEAD:manifests", "main\n", "a b", "\udcff"])
def test_what_is_no_name_of_a_commit_is_refused(repository: Repository, ref: str) -> None:
    repository.commit(files=FILES)
    assert "is no revision of this repository" in refused(repository.root, ref)


def test_a_folder_outside_of_git_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "main") == f"{tmp_path} is no git repository"


def test_everything_that_cannot_be_part_of_a_tree_is_told_at_once(repository: Repository, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.commit()
    repository.git("submodule", "--quiet", "add", str(inner.root), "templates/module")
    repository.write({"manifests/large.yaml": b"x" * ((2 << 20) + 1)})
    repository.link("manifests/shadow.yaml", "/etc/shadow")
    repository.link("templates/up", "../../outside")
    repository.commit()
    assert refused(repository.root, "HEAD").splitlines() == [
        "manifests/large.yaml: has 2097153 bytes; 2097152 are allowed below manifests/. Split it",
        f"manifests/shadow.yaml: is a symbolic link to /etc/shadow. {LINKS}",
        "templates/module: is a git repository of its own. Keep its files as files of this one",
        f"templates/up: is a symbolic link to ../../outside. {LINKS}",
    ]


def test_a_folder_that_is_a_file_or_a_link_is_refused(repository: Repository) -> None:
    repository.write({"templates": "a file"})
    repository.link("manifests", "/etc")
    repository.commit()
    message = refused(repository.root, "HEAD")
    assert "manifests: is a symbolic link to /etc" in message
    assert "templates: is not a folder" in message


def test_a_commit_without_manifests_is_an_empty_tree(repository: Repository) -> None:
    repository.commit(files={"README.md": "x"})
    assert read(repository.root, "HEAD") == {}


def test_content_that_git_has_lost_is_told(repository: Repository) -> None:
    repository.commit(files={"manifests/a.yaml": "lost"})
    blob = repository.git("rev-parse", "HEAD:manifests/a.yaml")
    with GitTrees(repository.root) as source:
        file = source.tree("HEAD").files["manifests/a.yaml"]
        (repository.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(Unavailable, match="cannot be read from git"):
            file.read()


def test_inside_a_git_hook_the_right_repository_is_read(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(files={"manifests/a.yaml": "right"})
    other = Repository(tmp_path / "other")
    other.commit(files={"manifests/a.yaml": "wrong"})
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    assert read(repository.root, "HEAD") == {"manifests/a.yaml": b"right"}


def test_files_that_are_too_large_together_are_refused(repository: Repository) -> None:
    repository.commit(files={f"templates/{number}": b"\0" * (1 << 20) for number in range(65)})

    with GitTrees(repository.root) as trees, pytest.raises(InvalidInput, match="67108864 are allowed"):
        trees.tree("HEAD")
