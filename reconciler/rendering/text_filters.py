"""Filters over text, as Ansible names them. Registered by `filters`."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import shlex
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.runtime import Undefined
from markupsafe import escape as markup_escape

_TRUE = frozenset({"yes", "on", "1", "true", "y", "t", "1.0"})
_COMMENTS: Mapping[str, tuple[str, str, str]] = {
    "plain": ("", "# ", ""),
    "erlang": ("", "% ", ""),
    "c": ("", "// ", ""),
    "cblock": ("/*", " * ", " */"),
    "xml": ("<!--", " - ", "-->"),
}
"""Style -> first line, start of each line, last line."""


def text_of(value: Any) -> str:
    """Text that a filter works on; numbers count as their text, lists and maps do not."""
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"it takes text, not {'null' if value is None else 'a ' + type(value).__name__}")


def to_bool(value: Any) -> Any:
    """Ansible's truth: yes, on, true, 1 in any case; null stays null."""
    if value is None or isinstance(value, bool):
        return value
    return str(value).lower() in _TRUE


def comment(text: Any, style: str = "plain", decoration: str | None = None, **more: Any) -> str:
    """Text as a comment, one line each. Styles: plain, erlang, c, cblock, xml."""
    if style not in _COMMENTS:
        raise ValueError(f'comment has no style "{style}"; styles are {", ".join(_COMMENTS)}')
    first, start, last = _COMMENTS[style]
    start = start if decoration is None else decoration
    prefix, postfix = more.get("prefix", start.rstrip()), more.get("postfix", start.rstrip())
    lines = [first, prefix, *((start + line).rstrip() for line in text_of(text).split("\n")), postfix, last]
    return "\n".join(line for number, line in enumerate(lines) if line or number not in {0, len(lines) - 1})


def ternary(value: Any, when_true: Any, when_false: Any, when_none: Any = None) -> Any:
    """One value if true, another if not."""
    if value is None and when_none is not None:
        return when_none
    return when_true if value else when_false


def mandatory(value: Any, message: str | None = None) -> Any:
    """The value, which has to be there."""
    if isinstance(value, Undefined) and message:
        raise ValueError(message)
    if isinstance(value, Undefined):
        str(value)
    return value


def b64encode(value: Any) -> str:
    """Base64 of the UTF-8 form."""
    return base64.b64encode(text_of(value).encode()).decode()


def b64decode(value: Any) -> str:
    """Text from base64."""
    return base64.b64decode(text_of(value)).decode()


def hashed(value: Any, algorithm: str = "sha1") -> str:
    """Hexadecimal digest of the UTF-8 form, SHA-1 as in Ansible unless another is named."""
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise ValueError(f'there is no hash "{algorithm}"')
    return hashlib.new(algorithm, text_of(value).encode(), usedforsecurity=False).hexdigest()


def quote(value: Any) -> str:
    """Quoted for a POSIX shell; null is the empty text."""
    return shlex.quote("" if value is None else text_of(value))


def basename(value: Any) -> str:
    """The last part of a path."""
    return posixpath.basename(text_of(value))


def dirname(value: Any) -> str:
    """A path without its last part."""
    return posixpath.dirname(text_of(value))


def splitext(value: Any) -> list[str]:
    """A path in two: up to the extension, and the extension."""
    return list(posixpath.splitext(text_of(value)))


def urldecode(value: Any) -> str:
    """Text with %XX read back."""
    return urllib.parse.unquote_plus(text_of(value))


def escape(value: Any) -> str:
    """Text with the signs of HTML and XML written as entities."""
    return str(markup_escape(text_of(value)))


def string(value: Any) -> str:
    """The value as text."""
    return str(value)


def split(value: Any, separator: str | None = None, maximum: int = -1) -> list[str]:
    """Text cut at a separator, or at white space."""
    return text_of(value).split(separator, maximum)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "basename": basename,
    "bool": to_bool,
    "checksum": hashed,
    "comment": comment,
    "dirname": dirname,
    "e": escape,
    "escape": escape,
    "hash": hashed,
    "mandatory": mandatory,
    "md5": lambda value: hashed(value, "md5"),
    "quote": quote,
    "sha1": hashed,
    "split": split,
    "splitext": splitext,
    "string": string,
    "ternary": ternary,
    "urldecode": urldecode,
}
"""By name."""
