"""Blanks: what stands for a host's own words while a template is rendered once for many hosts, and is filled in later.

A blank can be printed. Whoever would look at it (branch, compare, measure, filter) ends the render, which is then tried
with the host's word. Used by the sandbox, by `sight` and by what is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, TypeAlias

from reconciler.model.canonical import canonical
from reconciler.rendering.secret import Hidden, Secret
from reconciler.resources.values import dataclass

MAX_WORD = 256
"""Characters that a blank may stand for; the sandbox prints as many without charging for them."""
_MARK = "\ufdd0"
"""Stands before and after the number of a blank; not a character that any text should hold."""
_BLANKS = re.compile(f"{_MARK}([0-9]+){_MARK}")


class Looked(Exception):
    """A render does more with a blank than print it."""

    def __init__(self, blanks: Iterable[int] = ()) -> None:
        self.blanks = frozenset(blanks)
        """Their numbers; none: it cannot be told which."""
        super().__init__(self.blanks)


class Blank(Hidden):
    """Text with blanks in it."""

    __slots__ = ("marked",)

    def __init__(self, marked: str) -> None:
        self.marked = marked
        """The text, with each blank's number between marks."""

    @classmethod
    def of(cls, number: int) -> Blank:
        return cls(f"{_MARK}{number}{_MARK}")

    @property
    def refusal(self) -> Exception:
        return Looked(map(int, _BLANKS.findall(self.marked)))


@dataclass(frozen=True, slots=True)
class Words:
    """What one host has in the place of blanks, by their numbers."""

    plain: tuple[str, ...]
    written: tuple[str, ...]
    """As they stand within JSON."""

    @classmethod
    def of(cls, plain: Collection[str]) -> Words:
        return cls(tuple(plain), tuple([encode_basestring(word)[1:-1] for word in plain]))


NO_WORDS = Words((), ())


class Pattern:
    """A text with blanks, ready to be filled.

    Args:
        form: the text as a %-format.
        numbers: of the blanks, in order.
    """

    def __init__(self, form: str, numbers: Sequence[int]) -> None:
        self.form = form
        self.numbers = tuple(numbers)
        self._chosen = itemgetter(*self.numbers) if self.numbers else _none

    @classmethod
    def of(cls, marked: str) -> Pattern:
        """The pattern of a text with marks."""
        pieces = _BLANKS.split(marked)
        return cls("%s".join([piece.replace("%", "%%") for piece in pieces[::2]]), [int(it) for it in pieces[1::2]])

    @classmethod
    def lines(cls, patterns: Iterable[tuple[Pattern, int]]) -> Pattern:
        """Several patterns, a line each; each with how many other words stand before its own."""
        found = list(patterns)
        numbers = [before + number for pattern, before in found for number in pattern.numbers]
        return cls("\n".join([pattern.form for pattern, _ in found]), numbers)

    def filled(self, words: Sequence[str]) -> str:
        """The text with a host's words in the place of blanks."""
        return self.form % self._chosen(words)


def _none(_: Sequence[str]) -> tuple[str, ...]:
    return ()


Fill: TypeAlias = Callable[[Words], Any]
"""Makes a value for one host."""


def may_be_blank(value: Any) -> bool:
    """Whether a blank can stand for a value: text that is short and has no marks in it."""
    return type(value) is str and len(value) <= MAX_WORD and value.isprintable()


def most_characters(part: str | Secret | Blank) -> int:
    """Characters that a text has at most, once its blanks are filled."""
    if isinstance(part, Blank):
        return len(part.marked) + MAX_WORD * part.marked.count(_MARK)
    return len(part.shown if isinstance(part, Secret) else part)


def joined(parts: list[Any]) -> str | Secret | Blank:
    """Texts put together; a secret among them makes the whole a secret, a blank makes it a text with blanks."""
    try:
        return "".join(parts)
    except TypeError:
        if any(type(part) is Blank for part in parts):
            return Blank("".join(map(_marked, parts)))
        paths = [path for part in parts if isinstance(part, Secret) for path in part.paths]
        return Secret("".join(map(str, parts)), paths)


def marked_json(value: Any) -> str:
    """Canonical JSON of a value, with marks where it has blanks; a `Pattern` is made of it.

    Raises:
        Looked: a text in it holds marks of its own.
    """
    return canonical(_marked(value)).decode()


def _marked(value: Any) -> Any:
    if type(value) is Blank:
        return value.marked
    if isinstance(value, Secret) or (isinstance(value, str) and _MARK in value):
        raise Looked
    if isinstance(value, Mapping):
        return {_marked(key): _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list | tuple) else value


def filling(value: Any) -> Fill | None:
    """What fills the blanks in a value; None where it has none."""
    if type(value) is Blank:
        pattern = Pattern.of(value.marked)
        return lambda words: pattern.filled(words.plain)
    if isinstance(value, dict):
        fills = _fillings(value)
        return (lambda words: {**value, **{name: fill(words) for name, fill in fills}}) if fills else None
    if isinstance(value, list):
        below = filling(dict(enumerate(value)))
        return (lambda words: list(below(words).values())) if below else None
    return None


def _fillings(value: Mapping[Any, Any]) -> list[tuple[Any, Fill]]:
    return [(name, fill) for name, item in value.items() if (fill := filling(item))]
