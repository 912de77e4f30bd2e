"""The first run of a process that has nothing loaded: what it begins ahead is told and ended like all else."""

from __future__ import annotations

from collections import Counter

import psutil
import pytest

from reconciler.model.tree import Tree
from reconciler.source.working_tree import WorkingTree
from tests.integration.cli.conftest import Repository
from tests.waiting import until


def _first_run(small: Repository, *words: str) -> tuple[int, str]:
    """Its exit code and what it said."""
    with small.started(*words) as run:
        code = run.ends()
        return code, run.told()


def _left(small: Repository) -> list[str]:
    """Names of processes that still work in this repository."""
    processes = psutil.process_iter(["cwd", "name"])
    return [str(each.info["name"]) for each in processes if (each.info["cwd"] or "").startswith(str(small.root))]


def test_it_converges_and_leaves_no_process(small: Repository) -> None:
    code, told = _first_run(small, "apply", "--yes")

    assert code == 0, told
    assert "Plan: 1 to add" in told
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"
    until(lambda: not _left(small), "all that it started gone")


@pytest.mark.parametrize("asking", [(), ("--yes",)], ids=["asking", "agreed"])
def test_a_mistake_is_told_with_its_place_and_nothing_is_made_or_started(
    small: Repository, asking: tuple[str, ...]
) -> None:
    typo = small("apply", *asking, "--app", "helo")
    small.replace("manifests/apps/hello.yaml", "hosts: role=web", "hosts: [role=web")

    code, told = _first_run(small, "apply", *asking)

    assert (code, typo.code) == (1, 1)
    assert "manifests/apps/hello.yaml:" in told
    assert "there is no app helo. Did you mean hello?" in typo.err
    assert not (small.root / ".reconciler").exists()
    until(lambda: not _left(small), "all that it started gone")


def test_a_store_that_cannot_be_opened_is_told(small: Repository) -> None:
    small.write(".reconciler/store", "not a directory\n")
    (small.root / ".reconciler").chmod(0o700)

    code, told = _first_run(small, "apply", "--yes")

    assert code == 1
    assert f"the embedded store cannot use {small.root / '.reconciler/store'}" in told
    assert not small.on_host("/etc/hello").exists()


def test_the_files_are_read_once(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is dialed, shown and applied is of one moment."""
    read, times = WorkingTree.tree, Counter[str]()

    def counted(files: WorkingTree) -> Tree:
        times["read"] += 1
        return read(files)

    monkeypatch.setattr(WorkingTree, "tree", counted)

    assert small("apply", "--yes").code == 0
    assert times == {"read": 1}
