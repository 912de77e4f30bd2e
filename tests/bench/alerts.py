"""What alerts cost: rules at a sample, the sweep for silent hosts, and the routing of very many at once.

Run by `make bench`, and by hand: `python -m tests.bench alerts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from reconciler.alerting.evaluation import Evaluation, EvaluationInput, Subject, evaluate
from reconciler.alerting.functions import Samples
from reconciler.alerting.muting import Quiet, muted
from reconciler.alerting.routing import RoutingInput, route
from reconciler.alerting.staleness import stale_hosts
from reconciler.alerting.view import Value
from reconciler.clock import SystemClock
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert, Channel
from reconciler.model.selector import Selector
from reconciler.store import Store
from reconciler.store.opening import OpenServer, at_url
from tests.bench.server import server

HOSTS = 10_000
RULES = 50
ROUNDS = 5
T = TypeVar("T")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

EXPRESSIONS = (
    "cpu.percent > 90",
    "avg(mem.percent, window=5m) > 90",
    "load.one / cpu.count > 4 and cpu.percent > 50",
    "max(cpu.percent, window=5m) > 90 or swap.percent > 80",
    "cpu.percent > 10",
)
"""The last one fires."""
WINDOW = Samples([float(second) for second in range(0, 300, 5)], [50.0] * 60)


@dataclass(frozen=True)
class Sight:
    """A host whose every metric is the same."""

    level: float

    def value(self, metric: str) -> float | None:
        return self.level if metric != "swap.percent" else None

    def window(self, metric: str, seconds: float) -> Samples:
        return WINDOW

    def all(self, metric: str) -> Samples:
        return WINDOW

    def age(self, metric: str) -> float | None:
        return 0.0

    def fact(self, path: tuple[str, ...]) -> Value:
        return None

    def firing(self, selector: Selector) -> int:
        return 0


def measure() -> dict[str, float]:
    """Seconds by what was done, each the best of several rounds."""
    with server() as url:
        opened = at_url(url, SystemClock())
        swept = sweep(opened)
        opened.close()
    return {"sample": sample(), "sweep": swept, "routing": routing()}


def sample() -> float:
    """All rules at one sample of one host, a fifth of them firing."""
    rules = [
        Alert(
            meta(f"rule-{number}"),
            EXPRESSIONS[number % len(EXPRESSIONS)],
            "{{ host.name }} is at {{ value }}",
            Selector.parse("role=web,env!=test"),
            for_seconds=60,
        )
        for number in range(RULES)
    ]
    host = Subject("web-1", {"role": "web", "env": "prod"}, {"webapp": {"team": "web"}})
    before: Evaluation = Evaluation({}, ())
    found = []
    for number in range(40 * ROUNDS):
        before, seconds = sampled(rules, host, number, before)
        found.append(seconds)
    assert sum(alert.state.told for alert in before.active.values()) == RULES / len(EXPRESSIONS)
    return min(found)


def sampled(rules: Sequence[Alert], host: Subject, number: int, before: Evaluation) -> tuple[Evaluation, float]:
    """One more sample, 5 s after the last, and how long it took."""
    view, at = Sight(50.0 + number % 7), NOW + timedelta(seconds=5 * number)
    given = EvaluationInput(rules, host, lambda _: view, lambda _: (), before.active, at)
    seconds, found = timed(lambda: evaluate(given))
    return found, seconds


def sweep(opened: OpenServer) -> float:
    """Read how old the samples of all hosts are, and judge them; a hundred have been silent for long."""
    store = Store(opened)
    hosts = {f"host-{number:05}": {"zone": f"zone-{number % 10}"} for number in range(HOSTS)}
    now = SystemClock().now().timestamp()
    opened.link.send_all([("HSET", f"rc:{{{name}}}:metrics", "sampled_at", f"{now:.6f}") for name in hosts])
    for number, name in enumerate(hosts):
        alert = firing(number)
        if number < 100:
            store.alerts.write(name, {alert.id: alert})

    def once() -> Evaluation:
        found = store.alerts.sweep(sorted(hosts))
        ages = {name: 300.0 if number < 100 else 3.0 for number, name in enumerate(found.ages)}
        return stale_hosts(hosts, ages, {}, found.now, interval_seconds=5)

    return min(timed(once)[0] for _ in range(ROUNDS))


def routing() -> float:
    """Group and route as many alerts as there are hosts, all new, over five channels."""
    alerts = {alert.id: alert for alert in map(firing, range(HOSTS))}
    channels = [
        channel("mail", "*"),
        channel("sms", "severity=critical"),
        channel("zones", "zone in (zone-1,zone-2)", group_by=("alert", "zone")),
        channel("rest", "*", fallback=True),
        channel("boss", "severity=critical", after_seconds=600),
    ]

    def once() -> int:
        mute = muted(alerts.values(), Quiet(), NOW)
        return len(route(RoutingInput(alerts, channels, NOW, mute.keys())).notifications)

    return min(timed(once)[0] for _ in range(ROUNDS))


def firing(number: int) -> ActiveAlert:
    rule, host = f"rule-{number % RULES}", f"host-{number:05}"
    severity = "critical" if number % 5 == 0 else "warning"
    labels: Mapping[str, str] = {"alert": rule, "host": host, "zone": f"zone-{number % 10}", "severity": severity}
    return ActiveAlert(AlertId(rule, host), AlertState.FIRING, NOW, NOW, labels=labels)


def channel(name: str, match: str, **fields: Any) -> Channel:
    return Channel(meta(name), (), Selector.parse(match), group_wait_seconds=0, **fields)


def meta(name: str) -> Metadata:
    return Metadata(name, Origin("", 0))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found
