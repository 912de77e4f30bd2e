"""Filters that write and read JSON and YAML. Equal values give equal text. Registered by `filters`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.rendering.text_filters import text_of
from reconciler.rendering.values import plain
from reconciler.rendering.yaml_text import read_yaml, write_yaml

MAX_INDENT = 16


def _indent(indent: Any) -> int | None:
    if indent is None or 0 <= int(indent) <= MAX_INDENT:
        return None if indent is None else int(indent)
    raise ValueError(f"an indent is at most {MAX_INDENT}")


def to_json(value: Any, indent: int | None = None, sort_keys: bool = False, ensure_ascii: bool = True, **_: Any) -> str:  # noqa: FBT001, FBT002 - Ansible's signature
    """JSON on one line."""
    return json.dumps(plain(value), default=str, indent=_indent(indent), sort_keys=sort_keys, ensure_ascii=ensure_ascii)


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, ensure_ascii: bool = True, **_: Any) -> str:  # noqa: FBT001, FBT002 - Ansible's signature
    """JSON for people: indented, keys sorted."""
    return to_json(value, indent, sort_keys, ensure_ascii)


def from_json(value: Any) -> Any:
    """The value that a JSON text holds."""
    return json.loads(text_of(value))


def to_yaml(value: Any, indent: int = 2, **_: Any) -> str:
    """YAML, keys sorted."""
    return write_yaml(plain(value), _indent(indent) or 2)


def to_nice_yaml(value: Any, indent: int = 4, **_: Any) -> str:
    """YAML for people: indented by four, keys sorted."""
    return write_yaml(plain(value), _indent(indent) or 4)


def from_yaml(value: Any) -> Any:
    """The value that a YAML text holds; no tags, anchors or aliases."""
    return read_yaml(text_of(value))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "from_json": from_json,
    "from_yaml": from_yaml,
    "to_json": to_json,
    "to_nice_json": to_nice_json,
    "to_nice_yaml": to_nice_yaml,
    "to_yaml": to_yaml,
    "tojson": to_json,
}
"""By name."""
