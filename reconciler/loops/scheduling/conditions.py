"""What gates and triggers of schedules can know: the newest samples in the store, and the alerts that the monitor sees.

Made by wiring for each turn of the scheduler. Of a host whose samples stopped nothing is known, nor of any while the
monitor of this process has not looked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

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
    """See `surroundings.Conditions`."""

    store: Store
    manifests: Manifests
    current: Current | None
    _views: dict[str, StoredView] = field(default_factory=dict)
    _facts: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def ask(self, expressions: Mapping[str, Collection[str]]) -> None:
        """See Conditions."""
        if self.current is None:
            return
        fresh = sorted(self.current.fresh.intersection(expressions))
        newest = self.store.metrics.newest(fresh) if fresh else {}
        past = self._past({host: expressions[host] for host in newest}, self.current.now)
        for host, values in newest.items():
            self._views[host] = StoredView(
                self.manifests.hosts[host], values, past.get(host, {}), self._facts_of, self.current
            )

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

    def _past(self, expressions: Mapping[str, Collection[str]], now: datetime) -> Mapping[str, Mapping[str, Samples]]:
        """Of each host the series that its expressions look back at, as far back as they do."""
        longest: dict[tuple[str, str], float] = {}
        for host, texts in expressions.items():
            for metric, seconds in (window for text in texts for window in compile_metrics(text).windows.items()):
                longest[host, metric] = max(seconds, longest.get((host, metric), 0.0))
        found: dict[str, dict[str, Samples]] = {}
        for seconds in sorted({seconds for seconds in longest.values() if seconds}):
            pairs = [pair for pair, needed in longest.items() if needed == seconds]
            over = self.store.metrics.over(pairs, now - timedelta(seconds=seconds), now)
            for (host, metric), points in over.items():
                samples = Samples([at.timestamp() for at, _ in points], [value for _, value in points])
                found.setdefault(host, {})[metric] = samples
        return found

    def _facts_of(self, host: str) -> Mapping[str, object]:
        """Asked for when the first expression wants any, then of all hosts."""
        if host not in self._facts:
            known = self.store.observed.read(sorted(self._views))
            for name in self._views:
                observed, described = known.get(name), self.manifests.hosts[name]
                facts = observed.facts or {} if observed else {}
                about = {"name": name, "labels": described.labels, "address": described.address}
                self._facts[name] = {**facts, "host": about}
        return self._facts[host]


@dataclass(frozen=True, slots=True)
class StoredView:
    """A host as the store knows it; see `alerting.view.View`."""

    host: Host
    values: Mapping[str, float]
    """By the texts of series."""
    past: Mapping[str, Samples]
    """By metric, as far back as anyone looks."""
    facts: Callable[[str], Mapping[str, object]]
    """Of a host."""
    current: Current

    def value(self, metric: str) -> float | None:
        """See View."""
        return self.values.get(metric)

    def window(self, metric: str, seconds: float) -> Samples:
        """See View."""
        kept = self.past.get(metric, Samples())
        first = bisect_left(kept.times, self.current.now.timestamp() - seconds)
        return Samples(kept.times[first:], kept.values[first:])

    def all(self, metric: str) -> Samples:
        """See View."""
        found = [value for text, value in self.values.items() if text.partition("[")[0] == metric]
        return Samples([0.0] * len(found), found)

    def age(self, metric: str) -> float | None:
        """See View."""
        return 0.0 if len(self.all(metric).values) else None

    def fact(self, path: tuple[str, ...]) -> Value:
        """See View."""
        found: object = self.facts(self.host.name)
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, str | bool | int | float) else None

    def firing(self, selector: Selector) -> int:
        """See View."""
        return sum(alert.state.told and selects(selector, alert) for alert in self.current.alerts.values())
