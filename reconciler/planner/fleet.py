"""One revision's fleet as the composer and the resolver see it: who stands where, with which merged values.

Built by `Composer` for each revision from its memory of the one before: whatever did not change is the same object,
so that a look at identity tells what has to be composed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from reconciler.errors import InvalidInput
from reconciler.model.manifests import App, Group, Host, Manifests
from reconciler.model.metadata import Value
from reconciler.model.selector import Selector, SelectorError
from reconciler.planner.config import Layer, config_layers, conflicts, merge, unset, vars_layers
from reconciler.planner.placement import Placement, Standing, selectors_of
from reconciler.planner.resolver import Dependency, Merged
from reconciler.planner.sameness import kept, same
from reconciler.planner.selection import HostIndex
from reconciler.resources.values import dataclass, field

_MergeKey = tuple[str, str | None, tuple[str, ...]]
"""Host or "", app (None: vars), and the groups that have a say."""


@dataclass(slots=True)
class Memory:
    """What is kept from one revision to the next."""

    declared: Mapping[str, Host] | None = None
    """The hosts as the manifests had them, which are the same object for as long as none of them changes."""
    hosts: Mapping[str, Host] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    placement: Placement = field(default_factory=lambda: Placement({}, {}))
    standings: Mapping[str, Standing] = field(default_factory=dict)
    merged: dict[_MergeKey, Merged] = field(default_factory=dict)


class Fleet:
    """Implements the resolver's `World`."""

    def __init__(self, manifests: Manifests, memory: Memory, is_template: Callable[[str], bool]) -> None:
        self._declared = manifests.hosts
        unchanged = manifests.hosts is memory.declared
        self.hosts: Mapping[str, Host] = memory.hosts if unchanged else kept(memory.hosts, manifests.hosts)
        self.groups: Mapping[str, Group] = kept(memory.groups, manifests.groups)
        self.app_manifests: Mapping[str, App] = kept(memory.apps, manifests.apps)
        self.placement = _placement(manifests, memory.placement)
        self.standings = _standings(self.placement, self.hosts, memory)
        self._is_template = is_template
        self._known = memory.merged
        self._merged: dict[_MergeKey, Merged] = {}
        self._lower: dict[tuple[str | None, Standing], Merged] = {}
        self._index: HostIndex | None = None
        self._tokens: dict[Dependency, tuple[object, ...]] = {}

    def remember(self) -> Memory:
        """What the next revision may build on."""
        merged = {key: found for key, found in self._known.items() if not key[0] or key[0] in self.hosts}
        merged |= self._merged
        return Memory(
            self._declared, self.hosts, self.groups, self.app_manifests, self.placement, self.standings, merged
        )

    def host(self, name: str) -> Host:
        return self.hosts[name]

    def apps(self, host: str) -> tuple[str, ...]:
        return self.standings[host].apps

    def config(self, host: str, app: str) -> Merged:
        own = self.hosts[host]
        standing = self.standings[host]
        return self._with_host(own, app, standing) if own.config.get(app) else self.config_below(app, standing)

    def vars(self, host: str) -> Merged:
        own = self.hosts[host]
        standing = self.standings[host]
        return self._with_host(own, None, standing) if own.vars else self.vars_below(standing)

    def config_below(self, app: str, standing: Standing) -> Merged:
        """An app's config before any host has its say."""
        found = self._lower.get((app, standing))
        if found is None:
            groups = [name for name in standing.groups if app in self.groups[name].config]
            found = self._lower[app, standing] = self._lay(("", app, tuple(groups)), None)
        return found

    def vars_below(self, standing: Standing) -> Merged:
        """The vars before any host has its say."""
        found = self._lower.get((None, standing))
        if found is None:
            groups = [name for name in standing.groups if self.groups[name].vars]
            found = self._lower[None, standing] = self._lay(("", None, tuple(groups)), None)
        return found

    def select(self, text: str) -> tuple[str, ...]:
        """Hosts that a selector picks, sorted.

        Raises:
            InvalidInput: the text is no selector.
        """
        try:
            selector = Selector.parse(text)
        except SelectorError as error:
            raise InvalidInput.of("invalid-selector", f'hosts("{text}"): {error}') from error
        if self._index is None:
            self._index = HostIndex(self.hosts, self.standings)
        return self._index.select(selector)

    def token(self, dependency: Dependency) -> tuple[object, ...]:
        """Objects that stay the same for as long as nothing changes in what is depended on."""
        found = self._tokens.get(dependency)
        if found is None:
            found = self._tokens[dependency] = tuple(self._looked_at(dependency))
        return found

    def _looked_at(self, dependency: Dependency) -> Iterator[object]:
        match dependency:
            case ("hosts", text):
                for name in self.select(text):
                    yield self.hosts[name]
                    yield self.standings[name]  # which apps have a config there
            case ("config", host, app) if host in self.hosts and app in self.apps(host):
                yield self.hosts[host]
                yield self.config(host, app)
                yield self.vars(host)

    def _with_host(self, host: Host, app: str | None, standing: Standing) -> Merged:
        if app is None:
            groups = tuple(name for name in standing.groups if self.groups[name].vars)
        else:
            groups = tuple(name for name in standing.groups if app in self.groups[name].config)
        return self._lay((host.metadata.name, app, groups), host)

    def _lay(self, key: _MergeKey, host: Host | None) -> Merged:
        found = self._merged.get(key)
        if found is None:
            _, app, names = key
            groups = [self.groups[name] for name in names]
            layers = config_layers(self.app_manifests[app], groups, host) if app else vars_layers(groups, host)
            known = self._known.get(key)
            found = known if known and _same_layers(known.layers, layers) else self._merge(layers)
            self._merged[key] = found
        return found

    def _merge(self, layers: tuple[Layer, ...]) -> Merged:
        values = merge(layers)
        dynamic = frozenset(name for name, value in values.items() if any(map(self._is_template, _texts(value))))
        return Merged(layers, values, dynamic, tuple(conflicts(layers)), tuple(unset(values)))


def _placement(manifests: Manifests, before: Placement) -> Placement:
    rules = selectors_of(manifests)
    return before if before.rules == rules else Placement(*rules)


def _standings(placement: Placement, hosts: Mapping[str, Host], before: Memory) -> Mapping[str, Standing]:
    if placement is before.placement and hosts is before.hosts:
        return before.standings
    known = before.standings if placement is before.placement else {}
    return {
        name: known[name] if before.hosts.get(name) is host and name in known else placement.standing(host)
        for name, host in hosts.items()
    }


def _same_layers(old: tuple[Layer, ...], new: tuple[Layer, ...]) -> bool:
    return len(old) == len(new) and all(
        one.source == other.source and one.origin == other.origin and same(one.values, other.values)
        for one, other in zip(old, new, strict=True)
    )


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        below: Iterable[Value] = value.values() if isinstance(value, Mapping) else value
        for each in below:
            yield from _texts(each)
