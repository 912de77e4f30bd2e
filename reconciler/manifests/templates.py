"""A file below templates/ -> its text, or why it is none, and what is wrong with its Jinja."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import Problem

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Template:
    """One file; `unusable` says why it cannot be used, which is an error only where it is named."""

    name: str
    text: str = ""
    unusable: str = ""
    problems: tuple[Problem, ...] = ()


def read_template(name: str, raw: bytes) -> Template:
    """The template of that name (its path below templates/)."""
    if len(raw) > MAX_BYTES:
        return Template(name, unusable=f"is {len(raw) / 1024**2:.1f} MB; a template may have 1 MB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return Template(name, unusable=f"is not UTF-8 (byte 0x{raw[error.start]:02x} at {error.start})")
    if "\0" in text:
        return Template(name, unusable="is not text: it holds a NUL byte")
    return Template(name, text, problems=tuple(_problems(name, text)))


def _problems(name: str, text: str) -> list[Problem]:
    if "{" not in text:
        return []
    from reconciler.rendering import check_template  # noqa: PLC0415 - Jinja loads only if needed

    return check_template(name, text)
