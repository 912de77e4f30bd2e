"""The JSON form of reports (`-o json`): a stable envelope around rows of frozen values.

Every document is an object with `format` (a number that grows when a reader would break) and its named parts, keys
sorted. Enums stand as their value, times as ISO 8601 in UTC, dataclasses as objects with their field names. Everything
outside ASCII is escaped, so that the text is safe on any terminal.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

FORMAT = 1


def document(*, compact: bool = False, **parts: Any) -> str:
    """One JSON document with these parts beside `format`; equal values give equal bytes.

    `compact` puts everything on one line, ten times as fast: for what can be very large.
    """
    shape: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    return json.dumps({"format": FORMAT, **parts}, default=plain, sort_keys=True, **shape) + "\n"


def plain(value: Any) -> Any:
    """A value that JSON does not know, one level closer to it."""
    match value:
        case enum.Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Mapping():
            return dict(value)
        case AbstractSet():
            return sorted(value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")
