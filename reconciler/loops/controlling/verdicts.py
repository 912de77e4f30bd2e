"""Which trees are sound, and what was found in them: the same files, facts and code come to the same verdict, so that a
second look needs neither manifests nor templates. A tree with mistakes is looked at each time.

Called by `validate`, and by commands that go by an earlier tree where the newest is not sound.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import Place, Problem
from reconciler.model.tree import Tree
from reconciler.resources.values import dataclass
from reconciler.shelf import Shelf, code_version

MAX_KEPT = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say of a sound tree."""

    sizes: Mapping[str, int]
    """Kind, as people call it -> how many there are."""
    notes: tuple[Problem, ...] = ()
    """What is allowed and may surprise."""


class Verdicts:
    """The verdicts that are kept on disk below a directory."""

    def __init__(self, directory: Path) -> None:
        self._shelf = Shelf(directory / "verdicts")

    @property
    def any(self) -> bool:
        """Whether some tree was found sound before."""
        return bool(self._shelf.names())

    def of(self, tree: Tree, facts: Mapping[str, Any]) -> Verdict | None:
        """The verdict, if this tree was found sound before, with these facts."""
        written = self._shelf.read(_name(tree, facts)) if self.any else None
        try:
            return _read(json.loads(written)) if written else None
        except (ValueError, TypeError, KeyError):
            return None

    def keep(self, tree: Tree, facts: Mapping[str, Any], verdict: Verdict) -> None:
        """Remember that the tree is sound."""
        for name in self._shelf.names()[: 1 - MAX_KEPT]:
            self._shelf.remove(name)
        self._shelf.write(_name(tree, facts), json.dumps(_written(verdict)).encode())


def _name(tree: Tree, facts: Mapping[str, Any]) -> str:
    judged = json.dumps([code_version(), facts, tree.content], sort_keys=True)
    return hashlib.blake2b(judged.encode(), digest_size=16).hexdigest()


def _written(verdict: Verdict) -> dict[str, Any]:
    notes = [[note.place.file, note.place.line, note.place.column, *_words(note)] for note in verdict.notes]
    return {"sizes": verdict.sizes, "notes": notes}


def _words(note: Problem) -> tuple[str, str, str]:
    return note.message, note.hint, note.code


def _read(found: Mapping[str, Any]) -> Verdict:
    return Verdict(
        dict(found["sizes"]),
        tuple(Problem(Place(file, line, column), *words) for file, line, column, *words in found["notes"]),
    )
