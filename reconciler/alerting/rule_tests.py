"""Rules tried on series that someone wrote down: what fires when, and whether that is what was expected. Pure.

Called by `alerts test`; the file is read by `manifests.rule_tests`. At every interval each host is evaluated as its
collector does it, then the fleet as the monitor does it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.alerting.evaluation import EvaluationInput, evaluate
from reconciler.alerting.fleet_evaluation import FleetInput, evaluate_fleet
from reconciler.alerting.life import stale_after
from reconciler.alerting.muting import Quiet, muted
from reconciler.alerting.written_hosts import HostStory, WrittenHost
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState, Transition
from reconciler.model.monitoring import Alert
from reconciler.resources.values import dataclass, field

START = datetime(2000, 1, 1, tzinfo=UTC)
OWN = ""
"""Stands for a host where alerts over the fleet are meant, and those of silent hosts."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is to be so at some time, by the names of alerts."""

    at_seconds: float
    firing: frozenset[str]
    """All that fire, and no others."""
    pending: frozenset[str] | None = None
    """All that are pending; None: whichever."""
    inhibited: frozenset[str] | None = None
    """All that fire and that nobody is told of, since another one fires; None: whichever."""
    summaries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One story of a host, or of several."""

    name: str
    hosts: Sequence[HostStory]
    interval_seconds: float
    expected: Sequence[Expectation]

    def named(self, alert: AlertId) -> str:
        """As this test names an alert; where there is one host, without it: `FilesystemFull:/var`."""
        return str(AlertId(alert.rule, "", alert.instance) if len(self.hosts) == 1 else alert)


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
class Difference:
    """What was expected and was not so, and the contrary."""

    at_seconds: float
    about: str
    """firing, pending, inhibited, or `summary of ALERT`."""
    expected: tuple[str, ...]
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """What happened in a test."""

    name: str
    happened: tuple[Happened, ...]
    wrong: tuple[Difference, ...]
    """Empty: all is as expected."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """All alerts at one time, by name, and those of them that are inhibited."""

    alerts: Mapping[str, ActiveAlert]
    inhibited: frozenset[str]


def run_test(test: RuleTest, rules: Sequence[Alert]) -> RuleTestResult:
    """Evaluate the rules at every sample of the series, and compare."""
    fleet = _Fleet(test, rules)
    interval = test.interval_seconds
    last = max((it.at_seconds for it in test.expected), default=0.0)
    happened: list[Happened] = []
    moments: list[_Moment] = []
    for number in range(max(fleet.length, int(last // interval) + 1)):
        seconds = number * interval
        happened += [
            Happened(seconds, test.named(it.alert.id), it.before, it.alert.state, it.alert.value, it.alert.summary)
            for it in fleet.sample(seconds)
        ]
        moments.append(fleet.moment(seconds))
    wrong = (found for it in test.expected for found in _compared(it, moments[int(it.at_seconds // interval)]))
    return RuleTestResult(test.name, tuple(happened), tuple(wrong))


class _Fleet:
    """The hosts of a test and their alerts, sample by sample."""

    def __init__(self, test: RuleTest, rules: Sequence[Alert]) -> None:
        self._test = test
        self._rules = rules
        self._hosts = {story.host.name: WrittenHost(story, test.interval_seconds) for story in test.hosts}
        self._inhibits = {rule.name: rule.inhibits for rule in rules if rule.inhibits}
        self._active: dict[str, Mapping[AlertId, ActiveAlert]] = {}
        self.length = max((host.length for host in self._hosts.values()), default=0)

    def sample(self, seconds: float) -> Iterator[Transition]:
        """Evaluate once more, so long after the beginning."""
        now, interval = START + timedelta(seconds=seconds), self._test.interval_seconds
        ages = {name: host.age(seconds) for name, host in self._hosts.items()}
        for name, host in self._hosts.items():
            if ages[name] == 0:  # a collector that sees nothing judges nothing
                found = evaluate(self._given(host, seconds))
                self._active[name] = found.active
                yield from found.transitions
        fresh = [name for name, age in ages.items() if age is not None and age <= stale_after(interval)]
        above = FleetInput(
            rules=self._rules,
            picks=self._picked,
            hosts={name: host.subject.labels for name, host in self._hosts.items()},
            ages=ages,
            values={name: self._hosts[name].values(seconds) for name in fresh},
            alerts={name: alerts for name, alerts in self._active.items() if name != OWN},
            before=self._active.get(OWN, {}),
            now=now,
            interval_seconds=interval,
            turn_seconds=interval,
        )
        found = evaluate_fleet(above)
        self._active[OWN] = found.active
        yield from found.transitions

    def moment(self, seconds: float) -> _Moment:
        """How all alerts are now."""
        alerts = [alert for active in self._active.values() for alert in active.values()]
        mute = muted(alerts, Quiet(inhibits=self._inhibits), START + timedelta(seconds=seconds))
        named = self._test.named
        return _Moment({named(alert.id): alert for alert in alerts}, frozenset(map(named, mute)))

    def _given(self, host: WrittenHost, seconds: float) -> EvaluationInput:
        return EvaluationInput(
            self._rules,
            host.subject,
            lambda instance: host.view(seconds, instance),
            host.instances,
            self._active.get(host.subject.name, {}),
            START + timedelta(seconds=seconds),
            interval_seconds=self._test.interval_seconds,
        )

    def _picked(self, rule: Alert) -> Collection[str]:
        subjects = [host.subject for host in self._hosts.values()]
        if rule.app is not None:
            return {it.name for it in subjects if rule.app in it.apps}
        return {it.name for it in subjects if rule.hosts and rule.hosts.matches(it.name, it.labels, it.apps)}


def _compared(expected: Expectation, moment: _Moment) -> Iterator[Difference]:
    """How the alerts differ from what is expected."""
    at, alerts = expected.at_seconds, moment.alerts
    seen = {
        "firing": (expected.firing, {name for name, alert in alerts.items() if alert.state.told}),
        "pending": (expected.pending, {name for name, it in alerts.items() if it.state is AlertState.PENDING}),
        "inhibited": (expected.inhibited, moment.inhibited),
    }
    for about, (wanted, found) in seen.items():
        if wanted is not None and wanted != found:
            yield Difference(at, about, tuple(sorted(wanted - found)), tuple(sorted(found - wanted)))
    for name, summary in expected.summaries.items():
        said = alerts[name].summary if name in alerts else "nothing"
        if said != summary:
            yield Difference(at, f"summary of {name}", (summary,), (said,))
