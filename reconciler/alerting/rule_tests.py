"""Rules tried on series that someone wrote down: what fires when, and whether that is what was expected. Pure.

Called by `alerts test`; the file is read by `manifests.rule_tests`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reconciler.alerting.evaluation import EvaluationInput, Subject, evaluate
from reconciler.alerting.functions import Samples
from reconciler.alerting.life import stale_after
from reconciler.alerting.view import Value
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState
from reconciler.model.metrics import METRICS
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Series
from reconciler.model.selector import Selector

START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is to be so at some time. Alerts are named without their host: `FilesystemFull:/var`."""

    at_seconds: float
    firing: frozenset[str]
    """All that fire, and no others."""
    pending: frozenset[str] | None = None
    """All that are pending; None: whichever."""
    summaries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One story of a host."""

    name: str
    host: Subject
    interval_seconds: float
    series: Mapping[Series, Sequence[float]]
    """Values from the beginning on; NaN where there is no sample."""
    expected: Sequence[Expectation]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happened:
    """An alert came into a state."""

    at_seconds: float
    alert: str
    before: AlertState
    after: AlertState
    value: float | None
    summary: str


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """What happened in a test."""

    name: str
    happened: tuple[Happened, ...]
    wrong: tuple[str, ...]
    """How it differs from what was expected; empty: it does not."""


def run_test(test: RuleTest, rules: Sequence[Alert]) -> RuleTestResult:
    """Evaluate the rules at every sample of the series, and compare."""
    written = _Written(test)
    active: Mapping[AlertId, ActiveAlert] = {}
    happened: list[Happened] = []
    states: list[Mapping[str, ActiveAlert]] = []
    last = max((it.at_seconds for it in test.expected), default=0.0)
    for number in range(max(written.length, int(last // test.interval_seconds) + 1)):
        seconds = number * test.interval_seconds
        if written.sampled(number):
            found = evaluate(written.at(seconds, rules, active))
            active = found.active
            happened += [
                Happened(seconds, _name(it.alert), it.before, it.alert.state, it.alert.value, it.alert.summary)
                for it in found.transitions
            ]
        states.append({_name(alert): alert for alert in active.values()})
    wrong = [
        text for it in test.expected for text in _compared(it, states[int(it.at_seconds // test.interval_seconds)])
    ]
    return RuleTestResult(test.name, tuple(happened), tuple(wrong))


def _name(alert: ActiveAlert) -> str:
    return str(AlertId(alert.id.rule, "", alert.id.instance))


def _compared(expected: Expectation, states: Mapping[str, ActiveAlert]) -> Sequence[str]:
    """How the states differ from what is expected, as sentences without the time."""
    at = f"at {expected.at_seconds:g}s"
    firing = {name for name, alert in states.items() if alert.state.told}
    pending = {name for name, alert in states.items() if alert.state is AlertState.PENDING}
    found = [*_differences(at, "fire", expected.firing, firing)]
    if expected.pending is not None:
        found += _differences(at, "be pending", expected.pending, pending)
    for name, summary in expected.summaries.items():
        said = states[name].summary if name in states else None
        if said != summary:
            found.append(f"{at} {name} should say {summary!r}, and says {said!r}")
    return found


def _differences(at: str, what: str, expected: frozenset[str], found: set[str]) -> Sequence[str]:
    missing = [f"{at} {name} should {what}, and does not" for name in sorted(expected - found)]
    return missing + [f"{at} {name} should not {what}, and does" for name in sorted(found - expected)]


class _Written:
    """The series of a test, as the place sees them where rules are evaluated."""

    def __init__(self, test: RuleTest) -> None:
        self._test = test
        self._samples = {series: _present(values, test.interval_seconds) for series, values in test.series.items()}
        self.length = max((len(values) for values in test.series.values()), default=0)
        self._fresh_seconds = stale_after(test.interval_seconds)

    def at(self, seconds: float, rules: Sequence[Alert], before: Mapping[AlertId, ActiveAlert]) -> EvaluationInput:
        """What is evaluated so long after the beginning."""
        now = START + timedelta(seconds=seconds)
        host, interval = self._test.host, self._test.interval_seconds
        return EvaluationInput(
            rules, host, lambda each: _Sight(self, seconds, each), self._instances, before, now, (), interval
        )

    def sampled(self, number: int) -> bool:
        """Whether there is a sample of anything then; a collector that sees nothing judges nothing."""
        return any(number < len(values) and not math.isnan(values[number]) for values in self._test.series.values())

    def newest(self, series: Series, seconds: float) -> tuple[float, float] | None:
        """Time and value of the last sample that is fresh."""
        window = self.window(series, seconds, self._fresh_seconds)
        return (window.times[-1], window.values[-1]) if window.values else None

    def window(self, series: Series, seconds: float, length: float) -> Samples:
        """The samples of the last `length` seconds."""
        samples = self._samples.get(series, Samples())
        first, last = bisect_right(samples.times, seconds - length), bisect_right(samples.times, seconds)
        return Samples(samples.times[first:last], samples.values[first:last])

    def every(self, metric: str) -> Sequence[Series]:
        return [series for series in self._samples if series.metric == metric]

    def fact(self, path: tuple[str, ...]) -> Value:
        host = {"name": self._test.host.name, "labels": dict(self._test.host.labels)}
        found: object = {**self._test.facts, "host": host}
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, bool | int | float | str) else None

    def _instances(self, each: str) -> Sequence[str]:
        metrics = {name for name, metric in METRICS.items() if metric.each == each}
        return sorted({series.instance for series in self._samples if series.metric in metrics})


@dataclass(frozen=True, slots=True)
class _Sight:
    """Implements `View` for one moment and instance."""

    written: _Written
    seconds: float
    instance: str

    def value(self, metric: str) -> float | None:
        found = self.written.newest(self._series(metric), self.seconds)
        return found[1] if found else None

    def window(self, metric: str, seconds: float) -> Samples:
        return self.written.window(self._series(metric), self.seconds, seconds)

    def all(self, metric: str) -> Samples:
        found = [self.written.newest(series, self.seconds) for series in self.written.every(metric)]
        present = [it for it in found if it is not None]
        return Samples([time for time, _ in present], [value for _, value in present])

    def age(self, metric: str) -> float | None:
        times = self.written.window(self._series(metric), self.seconds, math.inf).times
        return self.seconds - times[-1] if times else None

    def fact(self, path: tuple[str, ...]) -> Value:
        return self.written.fact(path)

    def firing(self, selector: Selector) -> int:  # noqa: ARG002 - a test holds one host, and no alerts of others
        return 0

    def _series(self, metric: str) -> Series:
        several = metric in METRICS and METRICS[metric].each
        return Series(metric, self.instance if several else "")


def _present(values: Sequence[float], interval: float) -> Samples:
    kept = [(number * interval, value) for number, value in enumerate(values) if not math.isnan(value)]
    return Samples([time for time, _ in kept], [value for _, value in kept])
