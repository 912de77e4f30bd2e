"""YAML text -> plain values, with limits, and the line and column of every key and value on demand.

Called by `documents` for text that is not cached, and by `locate`; knows nothing of kinds. Works on ruamel's parse
events: libyaml's first, and where it fails the pure parser's, which also takes some valid flow scalars that libyaml
refuses. Composing from events is about nine times as fast as ruamel's own loader, needs no recursion, and lets every
limit stop the parser at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # made by an optional import there
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.manifests.bare_templates import bare_template, quoted
from reconciler.manifests.conflicts import HINT, MESSAGE, conflict_line
from reconciler.manifests.findings import Finding
from reconciler.model.metadata import Path
from reconciler.resources.values import dataclass, field

MAX_BYTES = 4 * 1024 * 1024
MAX_PURE_BYTES = 256 * 1024
"""The pure parser is some twenty times slower; beyond this size libyaml's word stands."""
MAX_DEPTH = 50
MAX_DIGITS = 20
MAX_ALIASED = 100_000
"""How many values the aliases of a file may stand for, in all."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER_STARTS = frozenset("0123456789+-.")
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_TEXT_TAG = "tag:yaml.org,2002:str"
_TEMPLATE = "\0{{"
"""Stands for the key of an unquoted `{{ x }}` until its map ends."""
_MERGE = "\0<<"


@dataclass(frozen=True, slots=True)
class Positions:
    """Line and column (from 1) of the values, and of the keys in maps, of one document."""

    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    """Scalars as the file has them."""


@dataclass(slots=True)
class Plain:
    """One document: its value (None if empty), what is wrong with its text, and its positions where asked for."""

    value: Any = None
    findings: list[Finding] = field(default_factory=list)
    positions: Positions = field(default_factory=Positions)


class UnreadableError(Exception):
    """The text is no YAML that we take; nothing can be said of its content."""

    def __init__(self, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        self.message, self.hint, self.line, self.column = message, hint, line, column
        super().__init__(message)


def read(raw: bytes, *, positions: bool = False) -> list[Plain]:
    """All documents of a file in order, empty ones too.

    Raises:
        UnreadableError: too large, not UTF-8, not YAML, too deeply nested, or an alias bomb.
    """
    text = _decode(raw)
    try:
        return list(_compose(_native_events(raw), text, positions=positions))
    except YAMLError as error:
        if len(raw) > MAX_PURE_BYTES:
            raise _unreadable(error, text) from None
    try:
        return list(_compose(_pure_events(text), text, positions=positions))
    except YAMLError as error:
        raise _unreadable(error, text) from None


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        limit = MAX_BYTES // 1024**2
        raise UnreadableError(f"is {len(raw) / 1024**2:.1f} MB; a manifest file may have {limit} MB", "Split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise UnreadableError(message, "Save the file as UTF-8", line=line) from None
    control = _CONTROL.search(text)
    if control:
        start = control.start()
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        message = f"control character U+{ord(control[0]):04X} is not allowed in YAML"
        raise UnreadableError(message, "Remove it, or write it as an escape in double quotes", line=line, column=column)
    return text


def _native_events(raw: bytes) -> Iterator[Any]:
    parser = CParser(raw)
    while (event := parser.get_event()) is not None:
        yield event


def _pure_events(text: str) -> Iterator[Any]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except YAMLError:
        raise
    except Exception as error:  # noqa: BLE001 - hostile text makes ruamel fail in any way, such as chr() out of range
        raise UnreadableError(f"not valid YAML: {error}") from None


def _unreadable(error: YAMLError, text: str) -> UnreadableError:
    """A parser's error in our words: its own mark, and a hint for the usual mistakes."""
    if conflict := conflict_line(text):
        return UnreadableError(MESSAGE, HINT, line=conflict)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    source = _line(text, line)
    message = str(getattr(error, "problem", "") or getattr(error, "context", "") or "cannot be parsed")
    if isinstance(error, YAMLStreamError) or not isinstance(error, MarkedYAMLError):
        message = "cannot be parsed"
    if bare := bare_template(text, line):
        message = f"a value that begins with {bare.text[:2]} is a map in YAML"
        return UnreadableError(message, f"Quote it: {quoted(bare.text)}", line=bare.line, column=bare.column)
    return UnreadableError(f"not valid YAML: {message}", _syntax_hint(source), line=line, column=column)


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _syntax_hint(source: str) -> str:
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return "Indent with spaces, not with tabs"
    if source.count(": ") > 1 and '"' not in source and "'" not in source and "{" not in source:
        return "Quote a value that holds a colon"
    return ""


@dataclass(slots=True)
class _Frame:
    """A map or list under construction."""

    value: Any
    """A dict with text keys, or a list."""
    anchor: str | None
    path: Path
    start: tuple[int, int]
    size_before: int
    key: str | None = None
    merges: list[Any] = field(default_factory=list)
    skipped: bool = False
    """Stands where a key is expected: read over, not kept."""


def _compose(events: Iterator[Any], text: str, *, positions: bool) -> Iterator[Plain]:
    """Documents from parse events."""
    composer: _Composer | None = None
    for event in events:
        if composer is None:
            if type(event) is DocumentStartEvent:
                composer = _Composer(text, positions=positions)
        elif type(event) is DocumentEndEvent:
            yield composer.plain
            composer = None
        else:
            composer.take(event)


class _Composer:
    """Builds the value of one document, event by event, without recursion."""

    def __init__(self, text: str, *, positions: bool) -> None:
        self.plain = Plain()
        self._text = text
        self._record = positions
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0
        self._aliased = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        self._size += 1
        if kind is ScalarEvent:
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            self._place(value, event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self._open(event, {} if kind is MappingStartEvent else [])
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close(event)
        elif kind is AliasEvent:
            self._place(self._alias(event), event)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not text.isascii() and _SURROGATE.search(text):
            self._find(event, "half of a surrogate pair is no character", "Write the character itself")
            return ""
        if event.ctag is not None and str(event.ctag) not in {_TEXT_TAG, "!"}:
            self._find(event, f"tags such as {event.ctag} are not supported", "Remove it")
            return text
        if event.ctag is not None or event.style or not event.implicit[0]:
            return text
        return self._plain_scalar(text, event)

    def _plain_scalar(self, text: str, event: Any) -> Any:
        """YAML 1.2's core schema; dates and `yes` stay text."""
        if text in _NULLS:
            return None
        if text[0] not in _NUMBER_STARTS:
            return _WORDS.get(text, text)
        if _INTEGER.match(text) and len(text) <= MAX_DIGITS:
            return int(text, 0) if text[1:2] in {"o", "x"} else int(text)
        number = float(text) if _FLOAT.match(text) else math.inf if _NOT_FINITE.match(text) else None
        if number is None:
            return text
        if math.isfinite(number) and not _INTEGER.match(text):
            return number
        self._find(event, f"number {text[:40]} is too large or not finite", f'Quote it: "{text[:40]}"')
        return text

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            inside = any(frame.anchor == event.anchor for frame in self._frames)
            why = "stands inside what it names" if inside else "names no anchor above it"
            raise _refused(event, f"alias *{event.anchor} {why}")
        value, size = self._anchors[event.anchor]
        self._aliased += size
        self._size += size
        if self._aliased > MAX_ALIASED:
            message = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise _refused(event, message)
        return value

    def _open(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        if len(self._frames) >= MAX_DEPTH:
            raise _refused(event, f"nested deeper than {MAX_DEPTH} levels")
        if event.ctag is not None:
            self._find(event, f"tags such as {event.ctag} are not supported", "Remove it")
        parent = self._frames[-1] if self._frames else None
        as_key = parent is not None and type(parent.value) is dict and parent.key is None
        skipped = as_key or (parent is not None and parent.skipped)
        frame = _Frame(value, event.anchor, self._path(), _start(event), self._size, skipped=skipped)
        self._frames.append(frame)

    def _close(self, event: Any) -> None:
        frame = self._frames.pop()
        value: Any = frame.value
        if frame.merges:
            value = self._merged(frame, event)
        if type(value) is dict and _TEMPLATE in value:
            value = self._bare_template(frame)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (value, self._size - frame.size_before + 1)
        self._place(value, event, frame)

    def _place(self, value: Any, event: Any, frame: _Frame | None = None) -> None:
        """Put a finished value where it belongs: a key, a map's value, a list's item or the document itself."""
        start = frame.start if frame else None
        if not self._frames:
            self.plain.value = value
            self._note((), start, event)
            return
        parent = self._frames[-1]
        if type(parent.value) is list:
            self._note((*parent.path, len(parent.value)), start, event)
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._key(value, event, frame, parent)
        else:
            self._put(parent, parent.key, value, event, start)

    def _put(self, parent: _Frame, key: str, value: Any, event: Any, start: tuple[int, int] | None) -> None:
        parent.key = None
        if key == _MERGE:
            parent.merges.append(value)
            return
        self._note((*parent.path, key), start, event)
        parent.value[key] = value

    def _key(self, value: Any, event: Any, frame: _Frame | None, parent: _Frame) -> str:
        if frame is not None:
            if type(value) is not dict:
                self._find(event, "a list cannot be a key")
                return f"?{len(parent.value)}"
            return _TEMPLATE
        if type(value) is not str:
            written = "null" if value is None else str(event.value if type(event) is ScalarEvent else value)
            self._find(event, f"key {written} is not text", f'Quote it: "{written}"')
            return written
        if value == "<<" and type(event) is ScalarEvent and not event.style:
            return _MERGE
        if value in parent.value and not parent.skipped:
            self._find(event, f'key "{value}" stands twice in this map', "Keep one of them")
        if self._record:
            self.plain.positions.keys[(*parent.path, value)] = _start(event)
        return value

    def _bare_template(self, frame: _Frame) -> str:
        """An unquoted `{{ x }}` is a map with a map as its key; go on with the text that was meant."""
        line, column = frame.start
        source = _line(self._text, line)[column - 1 :]
        end = source.find("}}")
        written = source[: end + 2] if end > 0 else source
        if frame.skipped:
            return written
        if written.startswith("{{"):
            message, hint = f"{written} is a map in YAML", f"Quote it: {quoted(written)}"
        else:
            message, hint = "a map cannot be a key", ""
        self.plain.findings.append(Finding(frame.path, message, hint, "invalid-yaml", line=line, column=column))
        return written

    def _merged(self, frame: _Frame, event: Any) -> dict[str, Any]:
        """Merge keys (`<<`): what stands in the map itself wins, then earlier maps."""
        merged: dict[str, Any] = {}
        sources = [item for merge in frame.merges for item in (merge if type(merge) is list else [merge])]
        for source in reversed(sources):
            if type(source) is dict:
                merged.update(source)
            else:
                self._find(event, "<< takes a map or a list of maps")
        return {**merged, **frame.value}

    def _path(self) -> Path:
        """Where the next value goes; only kept up where positions or a bare template may need it."""
        if not self._frames:
            return ()
        parent = self._frames[-1]
        step: str | int = len(parent.value) if type(parent.value) is list else (parent.key or "?")
        return (*parent.path, step)

    def _note(self, path: Path, start: tuple[int, int] | None, event: Any) -> None:
        if self._record:
            self.plain.positions.values[path] = start or _start(event)
            if type(event) is ScalarEvent:
                self.plain.positions.written[path] = event.value

    def _find(self, event: Any, message: str, hint: str = "") -> None:
        line, column = _start(event)
        self.plain.findings.append(Finding((), message, hint, "invalid-yaml", line=line, column=column))


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refused(event: Any, message: str) -> UnreadableError:
    line, column = _start(event)
    return UnreadableError(message, line=line, column=column)
