"""Reading signed JSON: exactly the fields, types and bytes that signing writes, or nothing. Called by its siblings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from reconciler.model.canonical import canonical

BODY_LIMIT_BYTES = 1 << 20
"""A statement of 5,000 apps has half of it."""

HIGHEST_NUMBER = (1 << 63) - 1

Check: TypeAlias = Callable[[Any], bool]


class NotExact(ValueError):
    """The bytes are not what signing would have written; the message completes `the statement ...`."""


def parse_exact(body: bytes, fields: Mapping[str, Check]) -> dict[str, Any]:
    """The fields of a body that is canonical JSON of one map with exactly these fields.

    Raises:
        NotExact: it is anything else.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise NotExact(f"is larger than {BODY_LIMIT_BYTES} bytes")
    try:
        value = json.loads(body)
        same = canonical(value) == body
    except (ValueError, RecursionError):
        raise NotExact("is not canonical JSON") from None
    if not same:
        raise NotExact("is not canonical JSON")
    return exact_map(value, fields)


def exact_map(value: Any, fields: Mapping[str, Check]) -> dict[str, Any]:
    """The value, if it is a map with exactly these fields (NotExact otherwise)."""
    if not isinstance(value, dict) or value.keys() != fields.keys():
        raise NotExact(f"must have exactly the fields {', '.join(fields)}")
    for name, fits in fields.items():
        if not fits(value[name]):
            raise NotExact(f"has an invalid {name}")
    return value


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """Whether it is a whole number that fits 63 bits."""
    return type(value) is int and 0 <= value <= HIGHEST_NUMBER


def is_hexadecimal(digits: int) -> Check:
    """A check for that many lower-case hexadecimal digits."""
    return lambda value: isinstance(value, str) and len(value) == digits and not value.strip("0123456789abcdef")


def is_map_of(fits: Check) -> Check:
    """A check for a map whose values all pass."""
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def is_list_of(fits: Check) -> Check:
    """A check for a list whose items all pass."""
    return lambda value: isinstance(value, list) and all(map(fits, value))
