"""The working tree as it is on disk, on top of what is checked out."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.model.tree import Revision, Tree
from reconciler.source.files import blob_hash
from reconciler.source.working_tree import WorkingTree
from tests.integration.source.conftest import Repository

LINKS = "A link must lead to a file below manifests/ or templates/"
FILES: dict[str, str | bytes] = {
    "manifests/hosts/web.yaml": "kind: Host\n",
    "manifests/apps/web.yml": "kind: App\n",
    "templates/nginx/site.j2": "listen {{ nginx_port }};\n",
}


def contents(tree: Tree) -> dict[str, bytes]:
    return {path: file.read() for path, file in tree.files.items()}


def problems(root: Path) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        WorkingTree(root).tree()
    return [str(problem) for problem in error.value.problems]


def test_manifests_and_templates_are_listed_with_gits_hashes_and_nothing_else(repository: Repository) -> None:
    others = {"manifests/README.md": "", "manifests/.hidden/x.yaml": "", "src/x.yaml": "", "templates/.profile": "x"}
    repository.commit(files=FILES | others)
    tree = WorkingTree(repository.root).tree()
    assert list(tree.files) == sorted([*FILES, "templates/.profile"])
    for path, file in tree.files.items():
        assert file.blob == repository.git("rev-parse", f"HEAD:{path}")
        assert file.path == path
        assert blob_hash(file.read()) == file.blob


def test_a_change_shows_at_once_and_only_it(repository: Repository) -> None:
    repository.commit(files=FILES)
    working = WorkingTree(repository.root)
    before = working.tree()
    repository.write({"manifests/apps/web.yml": "kind: Job\n", "templates/new": "x"})
    (repository.root / "templates/nginx/site.j2").unlink()
    after = working.tree()
    assert contents(after) == {
        "manifests/apps/web.yml": b"kind: Job\n",
        "manifests/hosts/web.yaml": b"kind: Host\n",
        "templates/new": b"x",
    }
    assert after.files["manifests/hosts/web.yaml"] is before.files["manifests/hosts/web.yaml"]


def test_a_file_rewritten_with_the_same_size_and_time_still_shows(repository: Repository) -> None:
    repository.commit(files=FILES)
    working = WorkingTree(repository.root)
    working.tree()
    path = repository.root / "manifests/apps/web.yml"
    before = path.stat()
    path.write_text("kind: Bpp\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert working.tree().files["manifests/apps/web.yml"].read() == b"kind: Bpp\n"


def test_content_is_never_read_under_the_hash_of_other_content(repository: Repository) -> None:
    repository.commit(files=FILES)
    file = WorkingTree(repository.root).tree().files["manifests/apps/web.yml"]
    repository.write({"manifests/apps/web.yml": "kind: Job\n"})
    with pytest.raises(Unavailable, match=r"manifests/apps/web\.yml: changed while it was being read"):
        file.read()
    (repository.root / "manifests/apps/web.yml").unlink()
    with pytest.raises(Unavailable, match="cannot be read: No such file"):
        file.read()


def test_a_file_swapped_for_a_link_is_not_followed(repository: Repository, tmp_path: Path) -> None:
    repository.commit(files=FILES)
    file = WorkingTree(repository.root).tree().files["manifests/apps/web.yml"]
    (repository.root / "manifests/apps/web.yml").unlink()
    repository.link("manifests/apps/web.yml", "/etc/passwd")
    with pytest.raises(Unavailable, match="cannot be read"):
        file.read()


def test_the_revision_is_what_is_checked_out(repository: Repository) -> None:
    commit = repository.commit("Remove the old hosts\n\nThey are gone.\n\nReconcile-Allow-Deletes: 41", FILES)
    revision = Revision(commit, "main", dirty=False, trailers={"Reconcile-Allow-Deletes": "41"})
    assert WorkingTree(repository.root).tree().revision == revision
    assert WorkingTree(repository.root).revision == revision


def test_trailers_are_of_the_commit_that_was_found_whenever_they_are_asked_for(repository: Repository) -> None:
    repository.commit("Remove the old hosts\n\nReconcile-Allow-Deletes: 41", FILES)
    revision = WorkingTree(repository.root).revision
    repository.commit("Remove more\n\nReconcile-Allow-Deletes: 42", {"templates/more.j2": "more\n"})

    assert dict(revision.trailers or {}) == {"Reconcile-Allow-Deletes": "41"}


def test_a_commit_without_trailers_has_none_even_if_its_text_looks_like_one(repository: Repository) -> None:
    repository.commit("Explain\n\nReconcile-Allow-Deletes: 41\n\nis a trailer at the end only", FILES)
    assert WorkingTree(repository.root).revision.trailers == {}


@pytest.mark.parametrize(
    ("path", "dirty"),
    [("manifests/apps/web.yml", True), ("templates/new", True), ("src/main.py", False), ("README.md", False)],
)
def test_only_changes_below_manifests_and_templates_make_a_tree_dirty(
    repository: Repository, path: str, *, dirty: bool
) -> None:
    repository.commit(files=FILES | {"README.md": "Hello"})
    repository.write({path: "changed"})
    assert WorkingTree(repository.root).revision.dirty is dirty


@pytest.mark.parametrize(
    "act", [("mv", "templates/nginx/site.j2", "templates/x.j2"), ("rm", "templates/nginx/site.j2")]
)
def test_renames_and_removals_make_a_tree_dirty(repository: Repository, act: tuple[str, ...]) -> None:
    repository.commit(files=FILES)
    repository.git(*act)
    assert WorkingTree(repository.root).revision.dirty


def test_a_detached_head_has_no_branch(repository: Repository) -> None:
    commit = repository.commit(files=FILES)
    repository.git("checkout", "--quiet", "--detach")
    assert WorkingTree(repository.root).revision == Revision(commit, "", trailers={})


def test_a_repository_without_a_commit_and_a_plain_folder_both_work(repository: Repository, tmp_path: Path) -> None:
    repository.write(FILES)
    assert WorkingTree(repository.root).tree().revision == Revision("", "main", dirty=True)
    plain = tmp_path / "plain"
    repository.root.rename(plain)
    (plain / ".git").rename(tmp_path / "gone")
    tree = WorkingTree(plain).tree()
    assert tree.revision == Revision("")
    assert list(tree.files) == sorted(FILES)


def test_folders_that_are_missing_are_an_empty_tree(repository: Repository) -> None:
    assert WorkingTree(repository.root).tree().files == {}


def test_what_git_ignores_is_no_part_of_the_tree(repository: Repository) -> None:
    repository.commit(files=FILES | {".gitignore": "*.swp\nlocal/\n"})
    repository.write({"templates/.site.swp": "x", "manifests/local/me.yaml": "x"})
    tree = WorkingTree(repository.root).tree()
    assert list(tree.files) == sorted(FILES)
    assert not tree.revision.dirty


def test_the_repository_may_be_a_folder_of_a_larger_one(repository: Repository) -> None:
    repository.commit(files={f"ops/fleet/{path}": content for path, content in FILES.items()})
    repository.write({".gitignore": "*.swp", "ops/fleet/templates/x.swp": "", "manifests/other.yaml": ""})
    working = WorkingTree(repository.root / "ops" / "fleet")
    assert list(working.tree().files) == sorted(FILES)
    assert not working.revision.dirty
    repository.write({"ops/fleet/templates/new": ""})
    assert working.revision.dirty


def test_links_within_the_tree_are_followed(repository: Repository) -> None:
    repository.write(FILES)
    repository.link("templates/other.j2", "nginx/site.j2")
    tree = WorkingTree(repository.root).tree()
    assert tree.files["templates/other.j2"].blob == tree.files["templates/nginx/site.j2"].blob
    assert tree.files["templates/other.j2"].read() == FILES["templates/nginx/site.j2"].encode()  # type: ignore[union-attr]


def test_everything_that_cannot_be_part_of_a_tree_is_told_at_once(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(
        {
            "manifests/large.yaml": b"x" * ((2 << 20) + 1),
            "templates/large": b"x" * ((1 << 20) + 1),
            "manifests/cloned/.git/HEAD": "",
            "templates/cloned/.git/HEAD": "",
            "templates/bell\a": "",
        }
    )
    repository.link("manifests/shadow.yaml", "/etc/shadow")
    repository.link("manifests/up.yaml", "../../outside.yaml")
    repository.link("manifests/all", "../templates")
    repository.link("templates/loop", "loop")
    os.mkfifo(repository.root / "templates/pipe")
    monkeypatch.chdir(repository.root)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("templates/socket")
    assert problems(repository.root) == [
        f"manifests/all: is a symbolic link to ../templates. {LINKS}",
        "manifests/cloned: is a git repository of its own. Keep its files as files of this one",
        "manifests/large.yaml: has 2097153 bytes; 2097152 are allowed below manifests/. Split it",
        f"manifests/shadow.yaml: is a symbolic link to /etc/shadow. {LINKS}",
        f"manifests/up.yaml: is a symbolic link to ../../outside.yaml. {LINKS}",
        "templates/bell\\x07: has a name that not every system can hold. Rename it",
        "templates/cloned: is a git repository of its own. Keep its files as files of this one",
        "templates/large: has 1048577 bytes; 1048576 are allowed below templates/. Split it",
        f"templates/loop: is a symbolic link to loop. {LINKS}",
        "templates/pipe: is not a regular file. Remove it",
        "templates/socket: is not a regular file. Remove it",
    ]


def test_files_that_go_during_the_walk_take_no_others_with_them(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write({f"manifests/{number}.yaml": str(number) for number in range(50)})
    scandir = os.scandir

    @contextmanager
    def losing_some(path: Path) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(path) as entries:
            found = list(entries)
        for number in range(0, 50, 10):
            (repository.root / f"manifests/{number}.yaml").unlink(missing_ok=True)
        yield found

    monkeypatch.setattr(os, "scandir", losing_some)
    assert len(WorkingTree(repository.root).tree().files) == 45


def test_a_folder_that_is_itself_a_link_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    repository.link("manifests", "../elsewhere")
    (problem,) = problems(repository.root)
    assert problem.startswith("manifests: is a symbolic link to ../elsewhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_unreadable_files_and_folders_are_told(repository: Repository) -> None:
    repository.write(FILES)
    (repository.root / "manifests/hosts").chmod(0)
    (repository.root / "templates/nginx/site.j2").chmod(0)
    try:
        assert problems(repository.root) == [
            "manifests/hosts: cannot be read: Permission denied",
            "templates/nginx/site.j2: cannot be read: Permission denied",
        ]
    finally:
        (repository.root / "manifests/hosts").chmod(0o700)


def test_a_look_runs_nothing_that_the_repository_brings_along(repository: Repository, tmp_path: Path) -> None:
    repository.commit(files=FILES)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o700)
    repository.git("config", "core.fsmonitor", str(trap))
    WorkingTree(repository.root).tree()
    assert not (tmp_path / "sprung").exists()


def test_files_that_look_like_a_repository_are_none(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit(files={"ops/manifests/a.yaml": "inner"})
    repository.disguise("ops", f"touch {tmp_path}/sprung; cat")
    tree = WorkingTree(repository.root / "ops").tree()
    assert (list(tree.files), tree.revision.commit != commit) == (["manifests/a.yaml"], True)
    assert not (tmp_path / "sprung").exists()


def test_a_look_changes_nothing_in_the_repository(repository: Repository) -> None:
    repository.commit(files=FILES)
    os.utime(repository.root / "templates/nginx/site.j2", ns=(1, 1))
    before = (repository.root / ".git/index").read_bytes()
    WorkingTree(repository.root).tree()
    assert (repository.root / ".git/index").read_bytes() == before


def test_inside_a_git_hook_the_right_repository_is_looked_at(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository.commit(files=FILES)
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / "none"))
    assert WorkingTree(repository.root).revision.commit == commit


def test_without_git_the_error_names_the_package(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match=r"git is not installed\. Install the package git"):
        WorkingTree(repository.root).tree()


def test_a_broken_repository_is_told_in_gits_words(repository: Repository) -> None:
    repository.commit(files=FILES)
    (repository.root / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(InvalidInput, match=r"git status in .*: not a git repository"):
        WorkingTree(repository.root).tree()


def test_files_that_are_too_large_together_are_refused_before_they_are_read(repository: Repository) -> None:
    repository.write({f"templates/{number}": "" for number in range(65)})
    for number in range(65):
        os.truncate(repository.root / f"templates/{number}", 1 << 20)

    (problem,) = problems(repository.root)
    assert problem.startswith("templates: has 68157440 bytes in all; 67108864 are allowed below templates/.")
