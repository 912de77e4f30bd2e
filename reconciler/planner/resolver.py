"""Evaluates `{{ }}` in config and vars, lazily: a value is worked out when something asks for it, and once.

Called by the composer. What an expression looked at beyond its own host is recorded, so that the composer knows which
results of the last time still hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.model.manifests import Host
from reconciler.model.metadata import Origin, Path, Value
from reconciler.planner.config import Conflict, Layer, setter
from reconciler.resources.values import dataclass, field

Locate: TypeAlias = Callable[[Origin, Path], Place]

Dependency: TypeAlias = tuple[str, ...]
"""What a result depends on: ("hosts", selector) or ("config", host, app)."""

_Key: TypeAlias = tuple[str, str | None, str]
"""Host, app (None: vars) and the name of a value."""


class Evaluator(Protocol):
    """What the rendering room offers for values."""

    def is_template(self, text: str) -> bool: ...

    def evaluate(self, text: str, context: Mapping[str, Any]) -> Value: ...


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """The layers of an app's config or of vars laid over each other, before evaluation; shared by equal hosts."""

    layers: tuple[Layer, ...]
    values: Mapping[str, Value]
    dynamic: frozenset[str]
    """Names of values with `{{ }}` somewhere in them."""
    conflicts: tuple[Conflict, ...] = ()
    unset: tuple[tuple[str, ...], ...] = ()
    """Paths of nulls."""
    written: dict[Any, Any] = field(default_factory=dict)
    """A memo of `ValuesWriter`: what it wrote of values that need no evaluation."""


class World(Protocol):
    """The fleet as the resolver asks for it."""

    def host(self, name: str) -> Host: ...

    def config(self, host: str, app: str) -> Merged: ...

    def vars(self, host: str) -> Merged: ...

    def apps(self, host: str) -> tuple[str, ...]: ...

    def select(self, text: str) -> Sequence[str]:
        """Hosts that a selector picks, sorted.

        Raises:
            InvalidInput: the text is no selector.
        """
        ...


class LazyMap(Mapping[str, Value]):
    """A map whose values are worked out when they are asked for."""

    __slots__ = ("_get", "_names")

    def __init__(self, names: Sequence[str], get: Callable[[str], Value]) -> None:
        self._names = dict.fromkeys(names)
        self._get = get

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise KeyError(name)
        return self._get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(slots=True)
class _Result:
    value: Value
    dependencies: frozenset[Dependency]


class Resolver:
    """The values of one revision's fleet."""

    def __init__(self, world: World, evaluator: Evaluator, locate: Locate) -> None:
        self._world = world
        self._evaluator = evaluator
        self._locate = locate
        self._results: dict[_Key, _Result] = {}
        self._asking: list[_Key] = []
        self._recording: list[set[Dependency]] = []
        self._views: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self._contexts: dict[str, Mapping[str, Any]] = {}

    @contextmanager
    def recording(self) -> Iterator[set[Dependency]]:
        """Collects what everything evaluated inside depends on."""
        found: set[Dependency] = set()
        self._recording.append(found)
        try:
            yield found
        finally:
            self._recording.pop()
            if self._recording:
                self._recording[-1] |= found

    def depend(self, dependencies: Collection[Dependency]) -> None:
        """Record what something that is used again was made of."""
        if self._recording:
            self._recording[-1].update(dependencies)

    def config(self, host: str, app: str) -> Mapping[str, Value]:
        """An app's config on a host."""
        merged = self._world.config(host, app)
        return LazyMap(list(merged.values), lambda name: self._value((host, app, name), merged))

    def vars(self, host: str) -> Mapping[str, Value]:
        """A host's vars."""
        merged = self._world.vars(host)
        return LazyMap(list(merged.values), lambda name: self._value((host, None, name), merged))

    def hosts(self, selector: str) -> Sequence[Mapping[str, Any]]:
        """The hosts that a selector picks, as templates and expressions see them."""
        text = str(selector)
        self._record(("hosts", text))
        if text not in self._views:
            self._views[text] = tuple(self._view(name) for name in self._world.select(text))
        return self._views[text]

    def _view(self, name: str) -> Mapping[str, Any]:
        host = self._world.host(name)
        known = {"name": host.name, "address": host.address, "labels": host.labels}
        return LazyMap([*known, "config"], lambda part: known[part] if part in known else self._all_config(name))

    def _all_config(self, host: str) -> Mapping[str, Any]:
        return LazyMap(self._world.apps(host), lambda app: self._foreign_config(host, app))

    def _foreign_config(self, host: str, app: str) -> Mapping[str, Any]:
        self._record(("config", host, app))
        return self.config(host, app)

    def _record(self, dependency: Dependency) -> None:
        if self._recording:
            self._recording[-1].add(dependency)

    def _value(self, key: _Key, merged: Merged) -> Value:
        name = key[2]
        if name not in merged.dynamic:
            return merged.values[name]
        result = self._results.get(key)
        if result is None:
            result = self._results[key] = self._work_out(key, merged)
        if self._recording:
            self._recording[-1] |= result.dependencies
        return result.value

    def _work_out(self, key: _Key, merged: Merged) -> _Result:
        if key in self._asking:
            raise InvalidInput(self._circle(self._asking[self._asking.index(key) :]))
        self._asking.append(key)
        try:
            with self.recording() as dependencies:
                value = self._evaluate(key, merged, (key[2],), merged.values[key[2]])
        finally:
            self._asking.pop()
        return _Result(value, frozenset(dependencies))

    def _circle(self, members: Sequence[_Key]) -> Problem:
        """Told from its first member in order, so that it is one problem wherever it was entered."""
        start = min(range(len(members)), key=lambda index: str(members[index]))
        ordered = [*members[start:], *members[:start], members[start]]
        names = " -> ".join(f"{app or 'vars'}.{name} on {host}" for host, app, name in ordered)
        host, app, name = ordered[0]
        merged = self._world.config(host, app) if app else self._world.vars(host)
        return Problem(self._place(merged, (name,)), f"values read each other: {names}", code="value-cycle")

    def _evaluate(self, key: _Key, merged: Merged, path: Path, value: Value) -> Value:
        if isinstance(value, str):
            return self._text(key, merged, path, value) if self._evaluator.is_template(value) else value
        if isinstance(value, Mapping):
            return {name: self._evaluate(key, merged, (*path, name), below) for name, below in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._evaluate(key, merged, (*path, index), below) for index, below in enumerate(value)]
        return value

    def _text(self, key: _Key, merged: Merged, path: Path, text: str) -> Value:
        host, app, _ = key
        try:
            return plain(self._evaluator.evaluate(text, self._context(host)))
        except InvalidInput as error:
            subject = f"{app or 'vars'} on {host}"
            raise InvalidInput([self._explained(found, merged, path, subject) for found in error.problems]) from error
        except TypeError as error:
            message = f"{{{{ }}}} gives {error}, for {app or 'vars'} on {host}"
            raise InvalidInput(Problem(self._place(merged, path), message, code="no-value")) from error

    def _context(self, host: str) -> Mapping[str, Any]:
        context = self._contexts.get(host)
        if context is None:
            this = host_view(self._world.host(host))
            context = self._contexts[host] = {"host": this, "vars": self.vars(host), "hosts": self.hosts}
        return context

    def _explained(self, problem: Problem, merged: Merged, path: Path, subject: str) -> Problem:
        """The same problem at the value's place in its manifest, naming whose value it is."""
        if problem.place.file:
            return problem
        if '"facts" is undefined' in problem.message:
            message = f"facts are not known in config values, for {subject}"
            return Problem(self._place(merged, path), message, "Read them in a template.", "facts-in-config")
        return Problem(self._place(merged, path), f"{problem.message} for {subject}", problem.hint, problem.code)

    def _place(self, merged: Merged, path: Path) -> Place:
        found = setter(merged.layers, path)
        return self._locate(found[0].origin, found[1]) if found else Place()


def host_view(host: Host) -> Mapping[str, Any]:
    """A host as its own templates see it."""
    return {
        "name": host.name,
        "address": host.address,
        "labels": host.labels,
        "sandbox": host.sandbox_root is not None,
    }


def plain(value: Any) -> Value:
    """The value as JSON can hold it.

    Raises:
        TypeError: it cannot; the message says what it is.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(below) for name, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(below) for below in value]
    raise TypeError(f"a {type(value).__name__}, not text, a number, a list or a map")
