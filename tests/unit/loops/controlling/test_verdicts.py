"""A sound tree is known again by its files and facts; anything else is not."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Place, Problem
from reconciler.loops.controlling import verdicts
from reconciler.loops.controlling.verdicts import Verdict, Verdicts
from reconciler.model.tree import Tree
from tests.unit.manifests.trees import fleet, host

NOTE = Problem(Place("manifests/a.yaml", 3, 5), "runs on the machine itself", "Exclude it", "command-in-sandbox")
SOUND = Verdict({"host": 2, "app": 0}, (NOTE,))
FACTS = {"a": {"os": {"family": "debian"}}}


def known(directory: Path, tree: Tree, facts: dict[str, Any] | None = None) -> Verdict | None:
    return Verdicts(directory).of(tree, facts or {})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    Verdicts(tmp_path).keep(fleet(a=host("a")), FACTS, SOUND)
    return tmp_path


def test_the_same_files_and_facts_come_to_the_same_verdict_with_its_notes(kept: Path) -> None:
    found = known(kept, fleet(a=host("a")), FACTS)

    assert found == SOUND
    assert found.notes[0].code == NOTE.code


@pytest.mark.parametrize(
    ("tree", "facts"),
    [
        (fleet(a=host("a", "role: db")), FACTS),
        (fleet(b=host("a")), FACTS),
        (fleet(a=host("a"), b=host("b")), FACTS),
        (fleet(a=host("a")), {}),
        (fleet(a=host("a")), {"a": {"os": {"family": "alpine"}}}),
    ],
    ids=["another text", "another place", "one more file", "no facts", "other facts"],
)
def test_another_tree_or_other_facts_are_not_known(kept: Path, tree: Tree, facts: dict[str, Any]) -> None:
    assert known(kept, tree, facts) is None


def test_another_version_of_the_code_judges_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "code_version", lambda: "another")

    assert known(kept, fleet(a=host("a")), FACTS) is None


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", "{}", '{"sizes": {}, "notes": [1]}', '{"sizes": {}, "notes": [[]]}']
)
def test_a_damaged_verdict_is_none(kept: Path, damaged: str) -> None:
    for file in (kept / "verdicts").iterdir():
        file.write_text(damaged)

    assert known(kept, fleet(a=host("a")), FACTS) is None


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "MAX_KEPT", 2)
    trees = [fleet(a=host(name)) for name in "abc"]
    for tree in trees:
        Verdicts(tmp_path).keep(tree, {}, SOUND)

    assert [known(tmp_path, tree) is not None for tree in trees] == [False, True, True]
