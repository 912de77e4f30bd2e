"""Who stands where: which apps and groups hold for a host, and how it is reached.

Called by the composer, by executors (connections) and by reports. Hosts with equal labels share one `Standing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from reconciler.errors import InvalidInput
from reconciler.model.manifests import Connection, ConnectionType, Host, Lifecycle, Manifests
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, fields

_DEFAULTS = Connection(type=ConnectionType.SSH, become=False)
_FIELDS = tuple(field.name for field in fields(Connection))


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What holds for a host. Compared by identity: a `Placement` hands out one object for each pair."""

    apps: tuple[str, ...]
    """In name order; none for a host that is being retired."""
    groups: tuple[str, ...]
    """In ascending order of priority, then name: later ones win."""


class Placement:
    """Answers where apps and groups stand, for one set of selectors.

    A host is asked for only by the labels that some selector speaks of, so that a fleet of equal hosts is matched once.
    """

    def __init__(self, apps: Mapping[str, Selector], groups: Mapping[str, tuple[int, Selector]]) -> None:
        self.rules = (apps, groups)
        self._apps = {name: apps[name] for name in sorted(apps)}
        ranked = sorted(groups.items(), key=lambda item: (item[1][0], item[0]))
        self._groups = {name: selector for name, (_, selector) in ranked}
        selectors = (*self._apps.values(), *self._groups.values())
        spoken_of = {term.key for selector in selectors for term in selector.requirements}
        self._by_name = "name" in spoken_of
        self._keys = tuple(sorted(spoken_of - {"name", "app"}))
        self._by_labels: dict[tuple[str | None, ...], Standing] = {}
        self._standings: dict[tuple[tuple[str, ...], tuple[str, ...]], Standing] = {}

    @classmethod
    def of(cls, manifests: Manifests) -> Placement:
        """The placement that these manifests declare."""
        return cls(*selectors_of(manifests))

    def standing(self, host: Host) -> Standing:
        """What holds for the host.

        Raises:
            InvalidInput: apps select each other's hosts in a circle.
        """
        labels = host.metadata.labels
        key: tuple[str | None, ...] = (
            "" if host.lifecycle is Lifecycle.RETIRE else "active",
            host.metadata.name if self._by_name else None,
            *[labels.get(name) for name in self._keys],
        )
        found = self._by_labels.get(key)
        if found is None:
            found = self._by_labels[key] = self._match(host)
        return found

    def _match(self, host: Host) -> Standing:
        placed: tuple[str, ...] = ()
        if host.lifecycle is not Lifecycle.RETIRE:
            placed = tuple(name for name in self._apps if self._holds(name, host, ()))
        groups = tuple(name for name, selector in self._groups.items() if self._matches(selector, host, ()))
        return self._standings.setdefault((placed, groups), Standing(placed, groups))

    def _holds(self, app: str, host: Host, asking: tuple[str, ...]) -> bool:
        if app in asking:
            circle = " -> ".join([*asking[asking.index(app) :], app])
            hint = "One of them must select by labels."
            raise InvalidInput.of("placement-cycle", f"apps select each other's hosts: {circle}", hint=hint)
        return self._matches(self._apps[app], host, (*asking, app))

    def _matches(self, selector: Selector, host: Host, asking: tuple[str, ...]) -> bool:
        spoken_of = sorted(selector.apps & self._apps.keys())
        if "app" in {term.key for term in selector.requirements} and not selector.apps:
            spoken_of = [name for name in self._apps if name not in asking]
        if host.lifecycle is Lifecycle.RETIRE:
            spoken_of = []
        apps = [name for name in spoken_of if self._holds(name, host, asking)]
        return selector.matches(host.name, host.labels, apps)


def selectors_of(manifests: Manifests) -> tuple[Mapping[str, Selector], Mapping[str, tuple[int, Selector]]]:
    """App -> selector, and group -> priority and selector: all that placement depends on beside the hosts."""
    return (
        {name: app.hosts for name, app in manifests.apps.items()},
        {name: (group.priority, group.hosts) for name, group in manifests.groups.items()},
    )


def connections(manifests: Manifests) -> Mapping[str, Connection]:
    """Host -> how to reach it, resolved: its own word, else that of its groups, else over SSH.

    What nobody says stays open: `~/.ssh/config` may say it, else ssh's own defaults hold.
    """
    placement = Placement.of(manifests)

    @cache
    def resolved(standing: Standing, own: Connection) -> Connection:
        return _resolve([_DEFAULTS, *[manifests.groups[group].connection for group in standing.groups], own])

    return {name: resolved(placement.standing(host), host.connection) for name, host in manifests.hosts.items()}


def _resolve(layers: Sequence[Connection]) -> Connection:
    """Each field from the last layer that sets it."""
    said = {name: value for layer in layers for name in _FIELDS if (value := getattr(layer, name)) is not None}
    return Connection(**said)
