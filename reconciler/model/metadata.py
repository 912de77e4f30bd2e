"""What all manifests have: where they were written, a name and labels.

Text that may hold `{{ ... }}` stays text here. A map with the single key `secret` is a secret's reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from reconciler.resources.values import dataclass, field

Value: TypeAlias = Any
"""What YAML can hold: text, numbers, booleans, None, lists and maps with text keys."""

Path: TypeAlias = tuple[str | int, ...]
"""A way into a document: map keys and list indexes, such as ("spec", "resources", 2, "file", "mode")."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a manifest was written. Line and column are found on demand, only for errors."""

    file: str
    document: int
    """Index of the YAML document in its file, from 0."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Name and labels, common to all kinds."""

    name: str
    origin: Origin
    labels: Mapping[str, str] = field(default_factory=dict)
    formerly: tuple[str, ...] = ()
