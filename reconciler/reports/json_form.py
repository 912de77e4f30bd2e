"""The JSON form of reports (`-o json`): a stable envelope around rows of frozen values.

Every document is an object with `format` (a number that grows when a reader would break) and one named part.
Enums stand as their value, times as ISO 8601 in UTC, dataclasses as objects with their field names. Everything
outside ASCII is escaped, so that the text is safe on any terminal.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

FORMAT = 1


def document(**parts: Any) -> str:
    """One JSON document with these parts behind `format`; equal values give equal bytes."""
    return json.dumps({"format": FORMAT, **{name: plain(part) for name, part in parts.items()}}, indent=2) + "\n"


def plain(value: Any) -> Any:
    """The value in terms of JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, AbstractSet):
        return [plain(item) for item in sorted(value)]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
