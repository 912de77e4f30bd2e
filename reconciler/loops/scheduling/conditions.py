"""What gates and triggers of schedules can know: the newest samples in the store, and the alerts that the monitor sees.

Made by wiring for each turn of the scheduler. Of a host whose samples stopped nothing is known, nor of any while the
monitor of this process has not looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property

from reconciler.alerting.expressions import compile_metrics
from reconciler.alerting.functions import Samples
from reconciler.alerting.muting import selects
from reconciler.alerting.view import Value
from reconciler.loops.monitoring.monitor import Current
from reconciler.model.manifests import Host, Manifests
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, field
from reconciler.scheduling.conditions import Truth
from reconciler.store import Store


@dataclass(frozen=True, slots=True)
class FleetConditions:
    """See `schedule_surroundings.Conditions`."""

    store: Store
    manifests: Manifests
    current: Current | None
    _views: dict[str, StoredView] = field(default_factory=dict)

    def ask(self, hosts: Collection[str]) -> None:
        """See Conditions."""
        if self.current is None:
            return
        fresh = sorted(self.current.fresh.intersection(hosts))
        for host, values in self.store.metrics.newest(fresh).items() if fresh else ():
            self._views[host] = StoredView(self.store, self.manifests.hosts[host], values, self.current)

    def holds(self, expression: str, host: str) -> Truth:
        """See Conditions."""
        view = self._views.get(host)
        return compile_metrics(expression).holds(view) if view else None

    def firing(self, alert: str, host: str) -> Truth:
        """See Conditions."""
        if self.current is None:
            return None
        known = [it for it in self.current.alerts.values() if it.id.rule == alert and it.id.host in {host, ""}]
        if any(it.state.told for it in known):
            return True
        return False if host in self.current.fresh else None

    def episodes(self) -> Iterator[tuple[str, str, datetime]]:
        """See Conditions."""
        for alert in self.current.alerts.values() if self.current else ():
            if alert.state.told and alert.id.host and alert.started_at:
                yield alert.id.rule, alert.id.host, alert.started_at


@dataclass(frozen=True)
class StoredView:
    """A host as the store knows it; see `alerting.view.View`."""

    store: Store
    host: Host
    values: Mapping[str, float]
    """By the texts of series."""
    current: Current

    def value(self, metric: str) -> float | None:
        """See View."""
        return self.values.get(metric)

    def window(self, metric: str, seconds: float) -> Samples:
        """See View."""
        now = self.current.now
        found = self.store.metrics.series(self.host.name, [metric], now - timedelta(seconds=seconds), now)[metric]
        return Samples([at.timestamp() for at, _ in found], [value for _, value in found])

    def all(self, metric: str) -> Samples:
        """See View."""
        found = [value for text, value in self.values.items() if text.partition("[")[0] == metric]
        return Samples([0.0] * len(found), found)

    def age(self, metric: str) -> float | None:
        """See View."""
        return 0.0 if len(self.all(metric).values) else None

    def fact(self, path: tuple[str, ...]) -> Value:
        """See View."""
        found: object = self._facts
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, str | bool | int | float) else None

    def firing(self, selector: Selector) -> int:
        """See View."""
        return sum(alert.state.told and selects(selector, alert) for alert in self.current.alerts.values())

    @cached_property
    def _facts(self) -> Mapping[str, object]:
        known = self.store.observed.read([self.host.name]).get(self.host.name)
        facts = known.facts if known and known.facts else {}
        return {**facts, "host": {"name": self.host.name, "labels": self.host.labels, "address": self.host.address}}
