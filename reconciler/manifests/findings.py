"""What is wrong inside a document, before its place in the file is known.

Parsing and checks make findings; the loader looks up their line and column, and raises them as problems.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler import errors
from reconciler.model import texts
from reconciler.model.metadata import Path
from reconciler.resources.values import dataclass

WRITTEN = "{written}"
"""Stands in a hint for the value as the file has it; YAML's number 1.10 is 1.1 once it is read."""


MAX_SHOWN = 400


def printable(text: str) -> str:
    """Text of a manifest as a terminal may show it: one line, no control characters, not endless."""
    text = texts.printable(text)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a path of a document, or at a line and column where those are known already."""

    path: Path
    message: str
    hint: str = ""
    code: str = "invalid-manifest"
    key: bool = False
    """It is the key at the end of the path that is wrong, not its value."""
    line: int = 0
    column: int = 0

    def below(self, prefix: Path) -> Finding:
        """The same finding with its path taken from further up."""
        return Finding((*prefix, *self.path), self.message, self.hint, self.code, self.key, self.line, self.column)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, or with the known words where none is near; else empty."""
    choices = sorted(set(known))
    nearest = errors.did_you_mean(word, choices)
    return nearest or (f"Known: {some(choices)}" if choices else "")


def some(words: Iterable[str], limit: int = 8) -> str:
    """Words for people, joined by commas and cut where they are many."""
    listed = list(words)
    shown = ", ".join(listed[:limit])
    return f"{shown} ..." if len(listed) > limit else shown
