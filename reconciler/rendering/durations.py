"""Durations in expressions: `5m`, `1h30m` and `500ms` are seconds. Called by the sandbox on a template's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jinja2.lexer import TOKEN_FLOAT, TOKEN_INTEGER, TOKEN_NAME, Token

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS = re.compile(r"(?:ms|[smhdw])(?:\d{1,15}(?:ms|[smhdw])){0,9}")
_PART = re.compile(r"(\d*)(ms|[smhdw])")


def with_durations(words: Iterable[Token]) -> Iterator[Token]:
    """The words, with each number and the units behind it made one number of seconds."""
    number: Token | None = None
    for word in words:
        if number is not None and word.type == TOKEN_NAME and _UNITS.fullmatch(word.value):
            yield Token(number.lineno, TOKEN_FLOAT, _seconds(number.value, word.value))  # type: ignore[arg-type] # its numbers are no text
            number = None
            continue
        if number is not None:
            yield number
        number = word if word.type in {TOKEN_INTEGER, TOKEN_FLOAT} else None
        if number is None:
            yield word
    if number is not None:
        yield number


def _seconds(first: float, units: str) -> float:
    """Seconds of `1` and `h30m`."""
    parts = [(digits or first, unit) for digits, unit in _PART.findall(units)]
    total = sum(float(amount) * _SECONDS[unit] for amount, unit in parts)
    return int(total) if total == int(total) else total
