"""Writes an app's values on a host: canonical JSON of exactly what its bundle reads.

Called by the composer. The text is put together from parts, and a part that hosts share is written once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.model.manifests import Host
from reconciler.planner.config import secret_paths
from reconciler.planner.grounds import Ground
from reconciler.planner.reads import Reads, Shape, absent, cut
from reconciler.planner.recipes import Recipe
from reconciler.planner.resolver import Dependency, Merged, Resolver, host_view, plain
from reconciler.resources.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Part:
    """One of the five parts of an app's values, written."""

    text: str
    secrets: tuple[str, ...] = ()
    absent: bool = False
    """Something that is read is not there."""


@dataclass(frozen=True, slots=True)
class Values:
    """An app's values on a host."""

    text: str
    secrets: tuple[str, ...]
    absent: bool
    dependencies: tuple[tuple[Dependency, tuple[object, ...]], ...] = ()
    """What was looked up on other hosts, each with the token that it had."""
    host: Part | None = None
    """What is said of the host itself, where that is read."""


class ValuesWriter:
    """Writes the values of one revision."""

    def __init__(self, resolver: Resolver, token: Callable[[Dependency], tuple[object, ...]]) -> None:
        self._resolver = resolver
        self._token = token
        self._selections: dict[tuple[str, bool], tuple[list[Any], frozenset[Dependency]]] = {}
        self._last_host: tuple[Reads | None, str, Part] = (None, "", Part(""))

    def holds(self, values: Values) -> bool:
        """Whether everything that was looked up on other hosts is still the same there."""
        return not values.dependencies or all(
            len(now := self._token(dependency)) == len(token)
            and all(one is other for one, other in zip(now, token, strict=True))
            for dependency, token in values.dependencies
        )

    def write(self, recipe: Recipe, ground: Ground, host: Part | None = None) -> Values:
        """The values of an app on a host.

        Args:
            recipe: of the app.
            ground: what the values are made from.
            host: what is said of the host itself, where the same was written before.

        Raises:
            InvalidInput: a `{{ }}` in config or vars, or the argument of a `hosts()`, cannot be evaluated.
        """
        if not ground.config.dynamic and not ground.vars.dynamic and "hosts" not in recipe.reads.parts:
            return _together(dict(self._parts(recipe, ground, host)))
        with self._resolver.recording() as dependencies:
            parts = dict(self._parts(recipe, ground, host))
            if "hosts" in recipe.reads.parts:
                parts["hosts"] = self._hosts_part(recipe, parts)
        return _together(parts, tuple((dependency, self._token(dependency)) for dependency in sorted(dependencies)))

    def _parts(self, recipe: Recipe, ground: Ground, host: Part | None) -> Iterator[tuple[str, Part]]:
        shapes = recipe.reads.parts
        name = ground.host.metadata.name
        config = partial(self._resolver.config, name, recipe.name)
        for key in sorted(ground.config.dynamic):
            config()[key]  # what is not read is published all the same, so it must be right
        if "config" in shapes:
            yield "config", self._layered(recipe.reads, "config", ground.config, config)
        if "vars" in shapes:
            yield "vars", self._layered(recipe.reads, "vars", ground.vars, partial(self._resolver.vars, name))
        if "host" in shapes:
            yield "host", host or self._host_part(recipe.reads, ground.host)
        if "facts" in shapes:
            facts = Part("null") if ground.facts is None else _part(ground.facts, shapes["facts"])
            yield "facts", replace(facts, secrets=())  # a host says them itself: nothing in them is a reference

    def _host_part(self, reads: Reads, host: Host) -> Part:
        """What apps with equal reads see of a host; they come one after the other."""
        name = host.metadata.name
        if self._last_host[0] is not reads or self._last_host[1] != name:
            self._last_host = reads, name, _part(host_view(host), reads.parts["host"])
        return self._last_host[2]

    def _layered(self, reads: Reads, name: str, merged: Merged, evaluated: Callable[[], Mapping[str, Any]]) -> Part:
        """A part made of layers: written once for all hosts that share them, unless `{{ }}` makes it the host's own."""
        shape = reads.parts[name]
        if merged.dynamic and (shape is None or merged.dynamic & shape.keys()):
            return _part(plain(_chosen(evaluated(), shape)), shape)
        found = merged.written.get((reads, name))
        if found is None:
            found = merged.written[reads, name] = _part(merged.values, shape)
        return found

    def _hosts_part(self, recipe: Recipe, parts: Mapping[str, Part]) -> Part:
        """Selector -> the hosts that it picks, frozen."""
        values = {name: json.loads(part.text) for name, part in parts.items()}
        selectors = recipe.renderer.host_selectors(values)
        frozen = {text: self._selection(text, with_config=recipe.asks_config) for text in selectors}
        return _part(frozen, None)

    def _selection(self, text: str, *, with_config: bool) -> list[Any]:
        """The hosts that a selector picks, worked out once; who reads them depends on all that they were made of."""
        known = self._selections.get((text, with_config))
        if known is None:
            parts = ("name", "address", "labels", *(["config"] if with_config else []))
            with self._resolver.recording() as dependencies:
                found = [plain({part: view[part] for part in parts}) for view in self._resolver.hosts(text)]
            self._selections[text, with_config] = found, frozenset(dependencies)
            return found
        self._resolver.depend(known[1])
        return known[0]


def _together(
    parts: Mapping[str, Part], dependencies: tuple[tuple[Dependency, tuple[object, ...]], ...] = ()
) -> Values:
    text = ",".join([f'"{name}":{parts[name].text}' for name in sorted(parts)])
    secrets = {path for part in parts.values() for path in part.secrets}
    absent_ones = any(part.absent for part in parts.values())
    return Values(
        f"{{{text}}}", tuple(sorted(secrets)) if secrets else (), absent_ones, dependencies, parts.get("host")
    )


def _part(value: Any, shape: Shape) -> Part:
    taken = cut(value, shape)
    secrets = tuple(sorted(set(secret_paths(taken))))
    return Part(canonical(taken).decode(), secrets, any(True for _ in absent(value, shape)))


def _chosen(values: Mapping[str, Any], shape: Shape) -> Mapping[str, Any]:
    """The values that are read, so that no other is evaluated."""
    return {name: values[name] for name in (values if shape is None else shape) if name in values}
