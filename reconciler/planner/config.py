"""Precedence of values: App < Group by priority < Host; maps merge, lists and everything else replace.

Called by the composer and by `explain`. Text with `{{ }}` is still text here; the resolver evaluates it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.model.manifests import App, Group, Host
from reconciler.model.metadata import Origin, Path, Value
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """What one manifest says of an app's config, or of vars."""

    source: str
    """For people: `App webapp`, `Group web (priority 10)`, `Host web-1`."""
    origin: Origin
    path: Path
    """Where the values stand in that document."""
    values: Mapping[str, Value]
    priority: int | None = None
    """A group's; None for an app or a host, which nothing can tie with."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two groups of equal priority that disagree on a value."""

    first: Layer
    second: Layer
    path: tuple[str, ...]


def config_layers(app: App, groups: Sequence[Group], host: Host | None) -> tuple[Layer, ...]:
    """The layers of an app's config, lowest first; `groups` come in ascending priority."""
    lowest = Layer(f"App {app.name}", app.metadata.origin, ("spec", "config"), app.config)
    middle = [_group_layer(group, ("spec", "config", app.name), group.config.get(app.name)) for group in groups]
    highest = _host_layer(host, ("spec", "config", app.name), host.config.get(app.name)) if host else None
    return tuple(layer for layer in (lowest, *middle, highest) if layer)


def vars_layers(groups: Sequence[Group], host: Host | None) -> tuple[Layer, ...]:
    """The layers of a host's vars, lowest first."""
    lower = [_group_layer(group, ("spec", "vars"), group.vars) for group in groups]
    highest = _host_layer(host, ("spec", "vars"), host.vars) if host else None
    return tuple(layer for layer in (*lower, highest) if layer)


def merge(layers: Sequence[Layer]) -> Mapping[str, Value]:
    """All layers laid over each other. Nothing is copied that does not have to be."""
    merged: Mapping[str, Value] = {}
    for layer in layers:
        merged = _over(merged, layer.values) if merged else layer.values
    return merged


def setter(layers: Sequence[Layer], path: Path) -> tuple[Layer, Path] | None:
    """The layer that set what stands at `path`, and where that stands in its document."""
    for layer in reversed(layers):
        if _holds(layer.values, path):
            return layer, (*layer.path, *path)
    return None


def conflicts(layers: Sequence[Layer]) -> Iterator[Conflict]:
    """Values on which two layers of equal priority disagree."""
    ranked = [layer for layer in layers if layer.priority is not None]
    for index, first in enumerate(ranked):
        for second in ranked[index + 1 :]:
            if first.priority == second.priority:
                for path in _disagreements(first.values, second.values, ()):
                    yield Conflict(first, second, path)


def unset(values: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the nulls in maps: what must be set elsewhere and was not."""
    if values is None:
        yield path
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield from unset(value, (*path, key))


def secret_path(value: Value) -> str | None:
    """The path, where the value is a secret's reference."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(path := value.get("secret"), str):
        return path
    return None


def secret_paths(value: Value) -> Iterator[str]:
    """Paths of all secrets that a value refers to."""
    if isinstance(value, (str, int)):
        return  # most values are
    path = secret_path(value)
    if path is not None:
        yield path
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from secret_paths(below)
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from secret_paths(below)


def _group_layer(group: Group, path: Path, values: Mapping[str, Value] | None) -> Layer | None:
    source = f"Group {group.metadata.name} (priority {group.priority})"
    return Layer(source, group.metadata.origin, path, values, group.priority) if values else None


def _host_layer(host: Host, path: Path, values: Mapping[str, Value] | None) -> Layer | None:
    return Layer(f"Host {host.name}", host.metadata.origin, path, values) if values else None


def _merges(value: Value) -> bool:
    return isinstance(value, Mapping) and secret_path(value) is None


def _over(lower: Mapping[str, Value], upper: Mapping[str, Value]) -> Mapping[str, Value]:
    result = dict(lower)
    for key, value in upper.items():
        both = key in result and _merges(result[key]) and _merges(value)
        result[key] = _over(result[key], value) if both else value
    return result


def _holds(values: Any, path: Path) -> bool:
    for key in path:
        if isinstance(values, Mapping):
            if key not in values:
                return False
        elif not (isinstance(values, (list, tuple)) and isinstance(key, int) and key < len(values)):
            return False
        values = values[key]
    return True


def _disagreements(
    first: Mapping[str, Value], second: Mapping[str, Value], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for key in sorted(first.keys() & second.keys()):
        one, other = first[key], second[key]
        if _merges(one) and _merges(other):
            yield from _disagreements(one, other, (*path, key))
        elif canonical(one) != canonical(other):
            yield (*path, key)
