"""The hosts of a situation as collectors see them: built when a host is sampled, kept while nothing about it changed.

Made by the watch for the hosts that it samples itself, and for what it tells agents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from reconciler.loops.controlling.planning import Situation
from reconciler.loops.measuring.app_checks import app_checks
from reconciler.loops.measuring.watched_host import WatchedHost, rules_about
from reconciler.model.desired import Bundle
from reconciler.model.host_monitoring import HostMonitoring
from reconciler.model.manifests import Fleet
from reconciler.model.samples import Measuring
from reconciler.rendering import Renderer
from reconciler.resources.values import dataclass, field


@dataclass(slots=True)
class WatchedFleet:
    """See `collector.Watching`.

    Args:
        hosts: those that are sampled from here.
        renderer: the renderer of a bundle.
    """

    situation: Situation
    hosts: Collection[str]
    renderer: Callable[[Bundle], Renderer]
    before: WatchedFleet | None = None
    """Of the situation before: what did not change since is taken from there."""
    _known: dict[str, WatchedHost] = field(default_factory=dict)

    @property
    def measuring(self) -> Measuring:
        """See Watching."""
        return measuring_of(self.situation.manifests.fleet)

    def of(self, host: str) -> WatchedHost:
        """See Watching."""
        known = self._known.get(host)
        if known is None:
            known = self._known[host] = self._kept(host) or self._made(host)
        return known

    def told(self, host: str) -> HostMonitoring:
        """What the host's own agent is to do."""
        manifests = self.situation.manifests
        watched = self._described(host)
        return HostMonitoring(
            self.measuring, watched.labels, watched.apps, rules_about(manifests.alerts.values(), watched)
        )

    def __post_init__(self) -> None:
        if self.before is not None:
            self.before.before = None

    def _kept(self, host: str) -> WatchedHost | None:
        before = self.before
        if before is None or before.situation.manifests is not self.situation.manifests:
            return None
        apps = self.situation.desired.hosts.get(host)
        return before._known.get(host) if apps == before.situation.desired.hosts.get(host) else None  # noqa: SLF001 - of its own kind

    def _made(self, host: str) -> WatchedHost:
        situation = self.situation
        watched = self._described(host)
        observed = situation.observed.get(host)
        apps = situation.desired.hosts.get(host, {})
        return WatchedHost(
            host,
            watched.labels,
            watched.apps,
            app_checks(apps, situation.desired.bundles, self.renderer),
            rules_about(situation.manifests.alerts.values(), watched),
            observed.facts or {} if observed else {},
        )

    def _described(self, host: str) -> WatchedHost:
        situation = self.situation
        declared, known = situation.manifests.apps, situation.manifests.hosts.get(host)
        apps: Mapping[str, Mapping[str, str]] = {
            app: declared[app].metadata.labels for app in situation.desired.hosts.get(host, {}) if app in declared
        }
        return WatchedHost(host, known.labels if known else {}, apps)


def measuring_of(fleet: Fleet) -> Measuring:
    """How the fleet wants hosts to be measured."""
    metrics = fleet.retention_metrics
    return Measuring(
        fleet.sample_interval_seconds,
        fleet.retention_raw_seconds,
        fleet.retention_rollup_seconds,
        frozenset(metrics) if metrics is not None else None,
    )
