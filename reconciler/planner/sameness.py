"""Whether two parsed values are the same, so that what was made of the one still holds for the other.

Called by the composer's memory. Python's own equality will not do: to it, 1, 1.0 and true are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from reconciler.model.canonical import canonical
from reconciler.model.manifests import App, Group, Host

_T = TypeVar("_T", Host, Group, App)


def same(old: Any, new: Any) -> bool:
    """Whether two values of YAML are the same, types included."""
    return old is new or (old == new and canonical(old) == canonical(new))


def kept(old: Mapping[str, _T], new: Mapping[str, _T]) -> dict[str, _T]:
    """The new manifests, each replaced by the old object where nothing in it differs; so identity tells change."""
    return {name: now if (before := old.get(name)) is now else _kept(before, now) for name, now in new.items()}


def _kept(old: _T | None, new: _T) -> _T:
    unchanged = old is not None and old == new and canonical(_loose(old)) == canonical(_loose(new))
    return old if unchanged and old is not None else new


def _loose(manifest: Host | Group | App) -> list[Any]:
    """The parts that hold values of YAML, where equality is looser than sameness."""
    if isinstance(manifest, App):
        resources = [[node.fields, node.for_each] for node in manifest.each_resource()]
        return [manifest.config, resources, list(manifest.health)]
    return [manifest.config, manifest.vars]
