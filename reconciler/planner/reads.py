"""What a bundle reads, as a shape to cut values with; so that a value which nothing reads changes no digest.

Called by the composer. Which paths a bundle reads is found by the rendering room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from reconciler.planner.config import secret_path
from reconciler.rendering import read_whole
from reconciler.resources.values import dataclass

Shape: TypeAlias = "Mapping[str, Shape] | None"
"""The keys that are read below a value, each with its own shape; None: the value is read whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """The shapes of the five parts of an app's values; a part that is not read is missing."""

    parts: Mapping[str, Shape]

    @classmethod
    def of(cls, paths: Iterable[tuple[str, ...]]) -> Reads:
        """The shape that holds all paths, such as ("vars", "x") or ("host", "labels", "env")."""
        return cls(_shape(sorted(path for path in paths if path)) or {})


def cut(value: Any, shape: Shape) -> Any:
    """The part of a value that a shape reads. Lists, whatever else is no map, and maps with a `secret` stay whole."""
    if shape is None or not isinstance(value, Mapping) or read_whole(value):
        return value
    return {key: cut(value[key], below) for key, below in shape.items() if key in value}


def absent(value: Any, shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths that are read and not there: undefined, unless the template is prepared for that."""
    if shape is None or not isinstance(value, Mapping) or secret_path(value) is not None:
        return
    for key, below in shape.items():
        if key in value:
            yield from absent(value[key], below, (*path, key))
        else:
            yield (*path, key)


def _shape(paths: list[tuple[str, ...]]) -> Shape:
    """A prefix tree of sorted paths; a path that ends wins over those that go on below it."""
    if any(not path for path in paths):
        return None
    keys: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        keys.setdefault(path[0], []).append(path[1:])
    return {key: _shape(below) for key, below in keys.items()}
