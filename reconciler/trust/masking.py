"""Keeping secret values out of text: logs, output of commands, errors, everything that people or Redis see.

Whoever resolves secrets teaches a `Masker`; whoever shows or stores text asks it. A value that is shorter than four
characters is not masked: it would be found everywhere, and shredding the text would tell it. Of a value with several
lines each line of eight characters or more is masked by itself too, since indenting and diffs tear it apart.
"""

from __future__ import annotations

import base64
import json
import shlex
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SHORTEST_MASKED = 4
SHORTEST_LINE_MASKED = 8


_UNRESERVED = string.ascii_letters + string.digits + "-._~"


class Masker:
    """Replaces the values that it was taught by `<secret path>`. Its repr shows none; threads may share it."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._forms: dict[str, str] = {}
        self.learn(secrets or {})

    def learn(self, secrets: Mapping[str, str]) -> None:
        """Mask these values (path -> value) too, in every form in which programs commonly print a value."""
        learned = dict(self._forms)
        for path, value in sorted(secrets.items()):
            for form in _forms(value):
                learned.setdefault(form, path)
        self._forms = learned

    def mask(self, text: str) -> str:
        """The text without any value; where values overlap, all that they cover is replaced."""
        spans = sorted((start, end, path) for start, end, path in self._found(text))
        if not spans:
            return text
        pieces: list[str] = []
        position = 0
        for start, end, paths in _merged(spans):
            pieces += [text[position:start], *(f"<secret {path}>" for path in paths)]
            position = end
        return "".join([*pieces, text[position:]])

    def mask_all(self, value: Any) -> Any:
        """Plain JSON values with every text in them masked, map keys too."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(item) for item in value]
        return value

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        for form, path in self._forms.items():
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form), path
                start = text.find(form, start + 1)

    def __repr__(self) -> str:
        return f"Masker({len(set(self._forms.values()))} secrets)"


def _merged(spans: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Sorted spans with overlapping ones made one, and whose they are."""
    start, end = -1, -1
    paths: dict[str, None] = {}
    for begin, stop, path in spans:
        if begin >= end:
            if paths:
                yield start, end, tuple(paths)
            start, end, paths = begin, stop, {path: None}
        else:
            end = max(end, stop)
            paths[path] = None
    if paths:
        yield start, end, tuple(paths)


def _forms(value: str) -> set[str]:
    """The value, its lines, and what other programs make of both; nothing that is too short."""
    lines = {line.strip() for line in value.splitlines()}
    plain = {text for text in (value, value.strip()) if len(text) >= SHORTEST_MASKED}
    plain |= {line for line in lines if len(line) >= SHORTEST_LINE_MASKED}
    return plain | {form for text in plain for form in _encoded(text) if len(form) >= SHORTEST_MASKED}


def _encoded(text: str) -> Iterator[str]:
    import html  # noqa: PLC0415 - loads all names of characters, for a fleet that has secrets

    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield html.escape(text)
    yield _percent_encoded(text, "/")
    yield _percent_encoded(text, "")
    yield _percent_encoded(text, "").replace("%20", "+")
    yield shlex.quote(text).strip("'")
    raw = text.encode("utf-8", "surrogateescape")
    yield raw.hex()
    for offset in range(3):
        yield from _base64(raw, offset)


def _percent_encoded(text: str, safe: str) -> str:
    """As in URLs (RFC 3986); the only part of urllib that a pure room needs."""
    plain = frozenset((_UNRESERVED + safe).encode())
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def _base64(raw: bytes, offset: int) -> Iterator[str]:
    """What of base64 depends on the value alone, wherever it stands in what was encoded (`user:password` is common)."""
    padded = bytes(offset) + raw
    whole = len(padded) * 8 // 6
    first = -(-offset * 8 // 6)
    yield base64.b64encode(padded).decode()[first:whole]
    yield base64.urlsafe_b64encode(padded).decode()[first:whole]
