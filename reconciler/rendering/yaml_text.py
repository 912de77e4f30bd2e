"""Values as YAML text and back: block style, keys sorted, each text quoted exactly where YAML 1.1 or 1.2 would read it
as something else. Used by the YAML filters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.rendering.secret import Secret

MAX_READ = 100_000
"""Characters of YAML that a template may read: the pure reader takes about 20 us for ten."""

MAX_DEPTH = 200
"""Brackets and columns of indentation: the reader takes time by the square of them."""

_BRACKET = re.compile(r"[\[\]{}]")
_INDENTATION = re.compile(r"^[ ?:-]+", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*")
_RESERVED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"])


def write_yaml(value: Any, indent: int) -> str:
    """A value as a YAML document without `---`, ending in a newline."""
    return "\n".join(_lines(value, indent)) + "\n"


def _lines(value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            yield from _entry(f"{_scalar(key)}:", value[key], indent)
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item, indent)
            yield f"- {first}"
            yield from (f"  {line}" if line else "" for line in rest)
    else:
        yield _scalar(value)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield head
        yield from (f"{' ' * indent}{line}" if line else "" for line in _lines(value, indent))
    elif isinstance(value, list) and value:
        yield head
        yield from _lines(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Any) -> str:
    match value:
        case Secret():
            return value.shown
        case bool() | None:
            return json.dumps(value)
        case int():
            return str(value)
        case float():
            return _number(value)
        case str():
            return _text(value)
        case _:
            return "{}" if isinstance(value, Mapping) else "[]"


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ".nan"
    if value in {float("inf"), float("-inf")}:
        return ".inf" if value > 0 else "-.inf"
    written = repr(value)
    return written if "." in written else written.replace("e", ".0e")


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)


def _depth(text: str) -> int:
    """At most how deep a YAML text is nested: brackets, and one level for each column of indentation."""
    deepest = depth = 0
    for sign in _BRACKET.findall(text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest + max(map(len, _INDENTATION.findall(text)), default=0)


def read_yaml(text: str) -> Any:
    """The value that a YAML text holds."""
    if len(text) > MAX_READ:
        raise ValueError(f"from_yaml reads at most {MAX_READ:,} characters")
    if _depth(text) > MAX_DEPTH:
        raise ValueError("from_yaml reads nothing that is nested so deeply")
    from ruamel.yaml import YAML  # noqa: PLC0415 - costs 46 ms, few templates read YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        events = YAML(typ="safe", pure=True).parse(text) if "&" in text else ()
        if any(getattr(event, "anchor", None) for event in events):
            raise ValueError("from_yaml reads no anchors or aliases")
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ValueError(f"cannot read YAML: {getattr(error, 'problem', None) or error}") from None
