"""Where something stands in a file: from a path in a document to a line and a column.

Called only once something is wrong; the text is read again with positions.
"""

from __future__ import annotations

from functools import lru_cache

from reconciler.errors import Place, Problem
from reconciler.manifests.findings import WRITTEN, Finding, printable
from reconciler.manifests.reading import Plain, Positions, UnreadableError, read
from reconciler.model.metadata import Origin, Path


def problem(raw: bytes, origin: Origin, finding: Finding) -> Problem:
    """A finding with its place, and with what the file has there where its hint quotes that."""
    hint = finding.hint
    if WRITTEN in hint:
        positions = _positions(raw, origin)
        hint = hint.replace(WRITTEN, positions.written.get(finding.path, "") if positions else "")
    return Problem(place(raw, origin, finding), printable(finding.message), printable(hint), finding.code)


def place(raw: bytes, origin: Origin, finding: Finding) -> Place:
    """The place of a finding: its own mark, or the nearest part of its path that is written there."""
    if finding.line:
        return Place(origin.file, finding.line, finding.column)
    positions = _positions(raw, origin)
    if positions is None:
        return Place(origin.file)
    path, key = finding.path, finding.key
    while path and path not in positions.values and path not in positions.keys:
        path, key = path[:-1], False
    return Place(origin.file, *_position(positions, path, key=key))


def _position(positions: Positions, path: Path, *, key: bool) -> tuple[int, int]:
    """What is empty or stands below its key is shown by that key; everything else by its own first character."""
    value, name = positions.values.get(path), positions.keys.get(path)
    if name and (key or not value or value[0] != name[0] or positions.written.get(path) == ""):
        return name
    return value or (1, 1)


def _positions(raw: bytes, origin: Origin) -> Positions | None:
    plains = _read(raw)
    return plains[origin.document].positions if origin.document < len(plains) else None


@lru_cache(maxsize=8)
def _read(raw: bytes) -> tuple[Plain, ...]:
    try:
        return tuple(read(raw, positions=True))
    except UnreadableError:
        return ()
