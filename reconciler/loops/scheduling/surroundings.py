"""What the scheduler asks of the fleet before it decides: last runs, hosts that are well, gates and conditions.

One is made for each turn; what it was told once it does not ask again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from reconciler.loops.hosts.silence import SILENT_SECONDS
from reconciler.loops.scheduling.plans import ONE, Planned
from reconciler.model.manifests import Manifests
from reconciler.model.observed import ObservedHost
from reconciler.model.scheduled import Occurrence, Progress
from reconciler.resources.values import dataclass, field
from reconciler.scheduling.conditions import Truth
from reconciler.store import Store


class Conditions(Protocol):
    """What is known of metrics and alerts. None: that is not known."""

    def ask(self, expressions: Mapping[str, Collection[str]]) -> None:
        """Ask at once for all that expressions speak of, by host."""
        ...

    def holds(self, expression: str, host: str) -> Truth:
        """Whether an expression over metrics is true of a host."""
        ...

    def firing(self, alert: str, host: str) -> Truth:
        """Whether an alert fires on a host, or about the whole fleet."""
        ...

    def episodes(self) -> Iterable[tuple[str, str, datetime]]:
        """Alerts that fire on hosts now: rule, host, and since when."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The fleet at one moment.

    Args:
        agents: the hosts whose own agent works on them.
    """

    store: Store
    manifests: Manifests
    conditions: Conditions
    agents: Container[str]
    now: datetime
    _observed: dict[str, ObservedHost | None] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _under_way: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, lines: Iterable[tuple[Planned, str, Progress]]) -> None:
        """Ask of all these lines at once what has to be asked of the store."""
        lines = list(lines)
        last = sorted({(run.host, run.run) for *_, progress in lines if (run := progress.last)})
        states = self.store.work.states(last)
        self._under_way.update(
            pair for pair, state in zip(last, states, strict=True) if state is not None and not state.finished
        )
        self.conditions.ask(_expressions(lines))
        hosts = {host for plan, *_ in lines if plan.one for host in plan.hosts}
        found = self.store.observed.read(sorted(hosts))
        self._observed.update({host: found.get(host) for host in hosts})
        ages = self.store.observed.ages([host for host in hosts if host in self.agents])
        self._silent.update(host for host, age in ages.items() if age is None or age > SILENT_SECONDS)

    def under_way(self, last: Occurrence | None) -> str:
        """The id of a run that has not ended; empty: it has, or there was none."""
        return last.run if last is not None and (last.host, last.run) in self._under_way else ""

    def hindrance(self, plan: Planned, line: str) -> str:
        """Why the host takes no runs now, or none of the hosts; empty: it does."""
        if line != ONE:
            return self._maintenance(line)
        return "" if any(map(self._well, plan.hosts)) else "none of its hosts was well"

    def gate(self, plan: Planned, line: str) -> Truth:
        """Whether the gate holds for the host, or for any that is well."""
        return _any(self._gate(plan, host) for host in self._choice(plan, line))

    def condition(self, plan: Planned, line: str) -> Truth:
        """Whether a trigger's condition is true of the host, or of any; of alerts that start jobs nothing is asked."""
        trigger = plan.schedule.trigger
        if trigger is None or plan.of_alert:
            return None
        hosts = _hosts(plan, line)
        if trigger.expr is not None:
            return _any(self.conditions.holds(trigger.expr, host) for host in hosts)
        return _any(self.conditions.firing(trigger.alert or "", host) for host in hosts)

    def best(self, plan: Planned, nominal: datetime) -> Sequence[str]:
        """The hosts on which it can run now, first the one that is to: another one from run to run."""
        able = [host for host in plan.hosts if self._well(host) and self._gate(plan, host)]
        return sorted(able, key=lambda host: hashlib.sha256(f"{nominal.isoformat()} {host}".encode()).digest())

    def _choice(self, plan: Planned, line: str) -> Sequence[str]:
        return [host for host in plan.hosts if self._well(host)] if line == ONE else (line,)

    def _gate(self, plan: Planned, host: str) -> Truth:
        gate = plan.schedule.gate
        return True if gate is None else self.conditions.holds(gate, host)

    def _well(self, host: str) -> bool:
        known = self._observed.get(host)
        away = known is not None and bool(known.unreachable or known.paused.get("*"))
        return not (away or host in self._silent or self._maintenance(host))

    def _maintenance(self, host: str) -> str:
        pause = self.manifests.hosts[host].maintenance
        if pause is None or not pause.drain or pause.until <= self.now:
            return ""
        return f"{host} was in maintenance until {pause.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _hosts(plan: Planned, line: str) -> Sequence[str]:
    return plan.hosts if line == ONE else (line,)


def _expressions(lines: Iterable[tuple[Planned, str, Progress]]) -> Mapping[str, Collection[str]]:
    """Host -> the expressions over metrics that lines depend on there."""
    found: dict[str, set[str]] = {}
    for plan, line, _ in lines:
        trigger = plan.schedule.trigger
        texts = {text for text in (plan.schedule.gate, trigger.expr if trigger else None) if text is not None}
        for host in _hosts(plan, line) if texts else ():
            found.setdefault(host, set()).update(texts)
    return found


def _any(truths: Iterable[Truth]) -> Truth:
    """Kleene's or."""
    found = list(truths)
    return True if True in found else None if None in found else False
