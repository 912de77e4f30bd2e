"""Rules, alerts and channels written as calls, and a host that is sampled along a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.alerting.evaluation import EvaluationInput, Subject, evaluate
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState, Transition
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert, Channel, Silence
from reconciler.model.selector import Selector
from reconciler.model.times import Window
from tests.unit.alerting.views import Written

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEB_1 = Subject("web-1", {"role": "web"}, {"webapp": {"team": "web"}})


def meta(name: str, **labels: str) -> Metadata:
    return Metadata(name, Origin(f"manifests/alerts/{name}.yaml", 0), labels)


def rule(name: str = "CpuBusy", expr: str = "cpu.percent > 90", **fields: Any) -> Alert:
    return Alert(meta(name), expr, fields.pop("summary", "it is busy"), **fields)


def channel(name: str = "mail", match: str = "*", **fields: Any) -> Channel:
    return Channel(meta(name), ("mailto://x",), Selector.parse(match), **fields)


def silence(match: str, reason: str = "planned", **fields: Any) -> Silence:
    return Silence(meta("quiet"), Selector.parse(match), Window(**fields), reason)


def firing(name: str = "CpuBusy", host: str = "web-1", at: datetime = START, **labels: str) -> ActiveAlert:
    """An alert that fires since a moment."""
    known = {"alert": name, "host": host, "severity": "warning"} | labels
    return ActiveAlert(AlertId(name, host), AlertState.FIRING, at, at, labels=known)


@dataclass
class Timeline:
    """A host whose rules are evaluated whenever the test takes a sample."""

    rules: Sequence[Alert]
    now: datetime = START
    host: Subject = WEB_1
    active: Mapping[AlertId, ActiveAlert] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    instances: Sequence[str] = ("/", "/var")
    held: Sequence[str] = ()

    def sample(self, after: float = 5, **values: float) -> str:
        """One sample some seconds later; `cpu_percent=95` is cpu.percent. Returns the states of all alerts."""
        self.now += timedelta(seconds=after)
        view = Written(values={name.replace("_", ".", 1): value for name, value in values.items()})
        given = EvaluationInput(
            self.rules, self.host, lambda _: view, lambda _: self.instances, self.active, self.now, self.held
        )
        found = evaluate(given)
        self.active = found.active
        self.transitions += found.transitions
        return self.states

    def samples(self, seconds: float, **values: float) -> str:
        """The same sample every 5 s for so long."""
        for _ in range(int(seconds // 5)):
            self.sample(**values)
        return self.states

    @property
    def states(self) -> str:
        told = (f"{str(alert.id).replace('@web-1', '')} {alert.state.value}" for alert in self.active.values())
        return ", ".join(sorted(told))

    @property
    def only(self) -> ActiveAlert:
        (alert,) = self.active.values()
        return alert
