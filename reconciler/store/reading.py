"""Decodes what Redis holds, record by record. One that is not as we write it counts as absent and becomes a problem.

Called by every part of the store with what it read: others may write to the same Redis, so nothing in it is believed
to have a type, a size or a depth before it was looked at here.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from reconciler.errors import NOWHERE, Problem
from reconciler.store.link import FOREIGN, Command, Link, key_of, moment

T = TypeVar("T")

LARGEST_BYTES = 16 << 20
"""Of one value; the values that a host's app reads are the longest."""

LARGEST_NUMBER = 1 << 53
"""Above it functions, which count in floating point, could not add one."""
DEEPEST = 64
MOST_PROBLEMS = 100

_ODD = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, zlib.error)
"""What making a value of a record that we did not write can raise."""


class Reading:
    """Asks, decodes and remembers what was odd. Shared by the parts of one store."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._problems: dict[str, Problem] = {}

    @property
    def problems(self) -> Sequence[Problem]:
        """What counted as absent since the store was opened."""
        return tuple(self._problems.values())

    def ask(self, *command: str | bytes | float, repeatable: bool = True) -> Any:
        """The reply to one command; None also where the key does not hold what we write."""
        return self.ask_all([command], repeatable=repeatable)[0]

    def ask_all(self, commands: Sequence[Command], *, repeatable: bool = True) -> list[Any]:
        """The replies to many, so that what one host did to its slot fails nothing for the others."""
        replies = self._link.look(commands, repeatable=repeatable)
        for at, reply in enumerate(replies):
            if reply is FOREIGN:
                self.note(key_of(commands[at]), "another type of key")
                replies[at] = None
        return replies

    def record(self, key: str, make: Callable[[], T]) -> T | None:
        """What `make` makes of a record; None where it cannot."""
        try:
            return make()
        except _ODD as error:
            self.note(key, str(error) or type(error).__name__)
            return None

    def records(self, key: str, replies: Iterable[Any], make: Callable[[Any], T]) -> list[T]:
        """What `make` makes of each; those of which it cannot are left out."""
        found = (self.record(key, partial(make, reply)) for reply in replies)
        return [value for value in found if value is not None]

    def hash(self, key: str, reply: Sequence[bytes] | None, make: Callable[[Any], T]) -> dict[str, T]:
        """The fields of a hash whose values are JSON. They are parsed at once, since a call costs more than a value."""
        names, values = (reply or ())[::2], (reply or ())[1::2]
        try:
            forms = json_value(b"[" + b",".join(values) + b"]")
            return {name.decode(): make(form) for name, form in zip(names, forms, strict=True)}
        except _ODD:
            made = (
                self.record(f"{key} {name!r}", partial(_field, name, value, make))
                for name, value in zip(names, values, strict=True)
            )
            return dict(field for field in made if field)

    def note(self, key: str, why: str) -> None:
        """Remember that a record was odd; the first ones, so that they cannot fill the memory."""
        if len(self._problems) < MOST_PROBLEMS:
            message = f"{key} in Redis is not as this program writes it ({why[:80]}); it counts as absent"
            hint = "Does anyone else write to this Redis? What is missing comes back with the next apply."
            self._problems.setdefault(key, Problem(NOWHERE, message, hint, "store-record"))


def _field(name: bytes, value: bytes, make: Callable[[Any], T]) -> tuple[str, T]:
    return name.decode(), make(json_value(value))


def json_value(raw: bytes | str) -> Any:
    """What JSON text holds: no deeper, larger or odder than what we write."""
    if len(raw) > LARGEST_BYTES:
        raise ValueError("too large")
    text = raw if isinstance(raw, str) else raw.decode()
    value = _DECODER.decode(text)
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_depth(value)
    if "\\ud" in text or "\\uD" in text:
        _refuse_halves(value)
    return value


def json_map(raw: bytes | str) -> dict[str, Any]:
    """A JSON object."""
    value = json_value(raw)
    if not isinstance(value, dict):
        raise TypeError("no map")
    return value


def word(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError("no text where one is expected")
    return value


def words(values: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(values, list):
        raise TypeError("no list where one is expected")
    return tuple(map(word, values))


def word_map(values: Any) -> dict[str, str]:
    """A map from text to text."""
    if not isinstance(values, Mapping):
        raise TypeError("no map where one is expected")
    if not {str}.issuperset(map(type, chain(values, values.values()))):
        raise TypeError("no text where one is expected")
    return dict(values)


def whole(value: Any) -> int:
    """A whole number from 0 upwards."""
    if type(value) is not int or not 0 <= value < LARGEST_NUMBER:
        raise TypeError("no whole number where one is expected")
    return value


def number(raw: bytes | str | None) -> int:
    """A whole number from 0 upwards, as text; nothing is 0."""
    return whole(int(raw)) if raw else 0


def instant(seconds: Any) -> datetime | None:
    """Unix seconds, as a number or as text; nothing stays nothing."""
    if isinstance(seconds, bool) or not isinstance(seconds, str | int | float | None):
        raise TypeError("no time where one is expected")
    return moment(seconds)


def unpacked(packed: bytes, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """What was compressed, bounded."""
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(packed, largest_bytes)
    if not unpacker.eof:
        raise ValueError("cut off, or too large")
    return body


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise ValueError("too deep")


def _refuse_halves(value: Any) -> None:
    """Half a pair of surrogates is no character: writing it down again raises UnicodeEncodeError, a ValueError."""
    json.dumps(value, ensure_ascii=False).encode()


def _whole(text: str) -> int:
    if len(text) > len(str(LARGEST_NUMBER)):
        raise ValueError("too large a number")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("too large a number")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_constant)
