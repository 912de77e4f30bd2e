"""Reading signed JSON: exactly the fields, types and bytes that signing would have written, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.errors import NOWHERE, Place, Refused
from reconciler.model.canonical import canonical

BODY_LIMIT_BYTES = 1 << 20
"""A statement of 5,000 apps is half of it."""

HIGHEST_NUMBER = (1 << 63) - 1

_DIGEST = re.compile(r"[0-9a-f]{64}")


def parse_exact(body: bytes, fields: Mapping[str, type], *, code: str, place: Place = NOWHERE) -> dict[str, Any]:
    """The body's fields, by name.

    Args:
        body: canonical JSON of one map.
        fields: every field's name and type; none may be missing, none added. Numbers are whole and 0 to 2^63 - 1.
        code: of the error.
        place: of the error.

    Raises:
        Refused: the body is not what signing would have written.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise Refused.of(code, f"is larger than {BODY_LIMIT_BYTES} bytes", place=place)
    try:
        value = json.loads(body)
        same = canonical(value) == body
    except (ValueError, RecursionError):
        raise Refused.of(code, "is not canonical JSON", place=place) from None
    if not same or not isinstance(value, dict):
        raise Refused.of(code, "is not canonical JSON", place=place)
    if value.keys() != fields.keys():
        raise Refused.of(code, f"must have exactly the fields {', '.join(fields)}", place=place)
    for name, kind in fields.items():
        if not _fits(value[name], kind):
            raise Refused.of(code, f"has a {name} of the wrong type", place=place)
    return value


def _fits(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value <= HIGHEST_NUMBER
    return isinstance(value, kind)


def is_text_map(value: Mapping[str, Any]) -> bool:
    """Whether all values are text."""
    return all(isinstance(text, str) for text in value.values())


def is_digest_map(value: Mapping[str, Any]) -> bool:
    """Whether all values are SHA-256 digests in hexadecimal."""
    return all(isinstance(text, str) and _DIGEST.fullmatch(text) for text in value.values())
