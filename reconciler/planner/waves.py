"""Which due apps may start now: an app waits until what it depends on is converged where it has to be.

Asked by the controller before it releases work, again whenever something has settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from reconciler.model.desired import Desired
from reconciler.model.manifests import Dependency, Manifests, Require
from reconciler.model.observed import AppStatus, ObservedHost


class Waves:
    """Answers for one moment's desired and observed state.

    Args:
        speakers: host that is retired -> apps elsewhere, as (host, app), that still speak to it.
    """

    def __init__(
        self,
        manifests: Manifests,
        desired: Desired,
        observed: Mapping[str, ObservedHost],
        speakers: Mapping[str, Collection[tuple[str, str]]] | None = None,
    ) -> None:
        self._speakers = speakers or {}
        self._manifests = manifests
        self._desired = desired
        self._observed = observed
        self._unsettled_with = cache(self._find_unsettled)

    def ready(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Those of the (host, app) pairs that wait for nothing.

        A dependency on the same host that is among the pairs counts as met: the executor keeps the order there.
        """
        asked = tuple(pairs)
        among = frozenset(asked)
        return tuple(pair for pair in asked if not self._reason(pair, among))

    def waiting(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The other pairs, each with what it waits for: `mariadb on db-1, db-2`."""
        asked = tuple(pairs)
        among = frozenset(asked)
        return {pair: reason for pair in asked if (reason := self._reason(pair, among))}

    def _reason(self, pair: tuple[str, str], among: Collection[tuple[str, str]]) -> str:
        host, app = pair
        if speakers := self._speakers.get(host):
            return f"{', '.join(f'{name} on {where}' for where, name in speakers)} to leave this host out"
        manifest = self._manifests.apps.get(app)
        if manifest is None or host not in self._manifests.hosts:
            return ""
        return "; ".join(self._unmet(host, manifest.depends_on, among))

    def _unmet(
        self, host: str, dependencies: Iterable[Dependency], among: Collection[tuple[str, str]]
    ) -> Iterator[str]:
        labels = self._manifests.hosts[host].labels
        for dependency in dependencies:
            values = tuple(labels.get(label) for label in dependency.same_labels)
            targets, unsettled = self._unsettled_with(dependency.app, dependency.same_labels, values)
            waits_for = [name for name in unsettled if name != host or (host, dependency.app) not in among]
            met = len(waits_for) < len(targets) if dependency.require is Require.ANY and targets else not waits_for
            if not met:
                yield f"{dependency.app} on {', '.join(waits_for)}"

    def _find_unsettled(
        self, app: str, same_labels: tuple[str, ...], values: tuple[str | None, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        targets = tuple(
            name
            for name, apps in self._desired.hosts.items()
            if app in apps and self._label_values(name, same_labels) == values
        )
        return targets, tuple(name for name in targets if not self._settled(name, app))

    def _label_values(self, host: str, names: tuple[str, ...]) -> tuple[str | None, ...]:
        labels = self._manifests.hosts[host].labels
        return tuple(labels.get(name) for name in names)

    def _settled(self, host: str, app: str) -> bool:
        known = self._observed.get(host)
        found = known.apps.get(app) if known else None
        wanted = self._desired.hosts[host][app].digest
        return found is not None and found.digest == wanted and found.status is AppStatus.CONVERGED
