"""A file below templates/ -> its text, or why it is none, and what is wrong with its Jinja. Called by the loader."""

from __future__ import annotations

from reconciler.errors import Place, Problem
from reconciler.manifests.conflicts import HINT, MESSAGE, conflict_line
from reconciler.manifests.parsed import Parsed, Template

MAX_BYTES = 1024 * 1024


def read_template(name: str, raw: bytes) -> Parsed:
    """The template of that name (its path below templates/)."""
    if len(raw) > MAX_BYTES:
        return _unusable(name, f"is {len(raw) / 1024**2:.1f} MB; a template may have 1 MB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _unusable(name, f"is not UTF-8 (byte 0x{raw[error.start]:02x} in line {line})")
    if "\0" in text:
        return _unusable(name, "is not text: it holds a NUL byte")
    return Parsed(template=Template(name, text, problems=tuple(_problems(name, text))))


def _unusable(name: str, why: str) -> Parsed:
    return Parsed(template=Template(name, unusable=why))


def _problems(name: str, text: str) -> list[Problem]:
    if conflict := conflict_line(text):
        return [Problem(Place(f"templates/{name}", conflict), MESSAGE, HINT, "merge-conflict")]
    if "{" not in text:
        return []
    from reconciler.rendering import check_template  # noqa: PLC0415 - Jinja loads only if needed

    return check_template(name, text)
