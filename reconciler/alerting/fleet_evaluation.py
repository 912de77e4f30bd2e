"""What is judged from above: hosts that fell silent, rules over the fleet, and how the watch itself is. Pure.

Called by the monitor at every turn and by `alerts test`. What is about one host is `evaluation`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from reconciler.alerting.evaluation import (
    Evaluation,
    EvaluationInput,
    Moment,
    Seen,
    Step,
    Subject,
    evaluate,
    gathered,
    step,
)
from reconciler.alerting.fleet_view import FleetView
from reconciler.alerting.life import Truth, stale_after
from reconciler.alerting.staleness import stale_hosts
from reconciler.model.alerts import ActiveAlert, AlertId
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import (
    DELETES_HELD,
    HOST_STALE,
    REDIS_MEMORY_SHORT,
    SOURCE_INVALID,
    SOURCE_STALE,
    Alert,
    AlertScope,
    Severity,
)
from reconciler.resources.values import dataclass, field

_OF_THE_WATCH: Mapping[str, str] = {
    SOURCE_STALE: "git was in reach {{ (value / 60) | round | int }} minutes ago; its last revision stays in force",
    SOURCE_INVALID: "what is followed has mistakes; the last good revision stays in force: see reconcile validate",
    REDIS_MEMORY_SHORT: "Redis has used {{ (value * 100) | round | int }} % of its maxmemory; no series are written",
    DELETES_HELD: "the guard holds what would delete too much: see reconcile plan",
}
"""What is said of the watch's own troubles."""
_FOR_SECONDS: Mapping[str, float] = {SOURCE_INVALID: 60.0}
"""While people edit, files are half done."""
_UNKNOWN = Seen(Truth(None, None))


@dataclass(frozen=True, slots=True)
class FleetInput:
    """Everything that an evaluation from above rests on.

    Args:
        rules: all rules; those that are not about the fleet are passed over.
        picks: the hosts that a rule over the fleet looks at.
        hosts: all hosts and their labels.
        ages: seconds since each host's last sample; None: there never was one.
        values: the newest values of hosts that are fresh, by the texts of their series.
        alerts: of each host, what it says itself.
        before: what came of the last evaluation.
        interval_seconds: between two samples of a host.
        turn_seconds: between two evaluations.
        sure: False while we ourselves were away a moment ago, so that old samples prove nothing.
        watch: how the watch is, by the names of the alerts that are built in.
    """

    rules: Sequence[Alert]
    picks: Callable[[Alert], Collection[str]]
    hosts: Mapping[str, Mapping[str, str]]
    ages: Mapping[str, float | None]
    values: Mapping[str, Mapping[str, float]]
    alerts: Mapping[str, Mapping[AlertId, ActiveAlert]]
    before: Mapping[AlertId, ActiveAlert]
    now: datetime
    interval_seconds: float
    turn_seconds: float
    sure: bool = True
    watch: Mapping[str, Seen] = field(default_factory=dict)


def evaluate_fleet(given: FleetInput) -> Evaluation:
    """The alerts that nobody but the monitor can tell."""
    before = {name: alert for name, alert in given.before.items() if name.rule == HOST_STALE}
    stale = stale_hosts(
        given.hosts, given.ages, before, given.now, interval_seconds=given.interval_seconds, sure=given.sure
    )
    parts = [stale, *_over_the_fleet(given, stale.active), gathered(list(_of_the_watch(given)))]
    return Evaluation(
        {name: alert for part in parts for name, alert in part.active.items()},
        tuple(transition for part in parts for transition in part.transitions),
    )


def _over_the_fleet(given: FleetInput, stale: Mapping[AlertId, ActiveAlert]) -> Iterator[Evaluation]:
    """Rules with `scope: fleet`, each over the hosts that it picks; those that are gone resolve their alerts."""
    rules = [rule for rule in given.rules if rule.scope is AlertScope.FLEET]
    for rule in rules:
        hosts = given.picks(rule)
        said = [alert for host in sorted(hosts) for alert in given.alerts.get(host, {}).values()]
        silent = [alert for name, alert in stale.items() if name.host in hosts]
        mine = {name: alert for name, alert in given.before.items() if name.rule == rule.name}
        yield _evaluated([rule], FleetView.of(given.values, hosts, [*said, *silent]), mine, given)
    others = {HOST_STALE, *_OF_THE_WATCH, *(rule.name for rule in rules)}
    gone = {name: alert for name, alert in given.before.items() if name.rule not in others}
    yield _evaluated([], FleetView(), gone, given)


def _evaluated(
    rules: Sequence[Alert], view: FleetView, before: Mapping[AlertId, ActiveAlert], given: FleetInput
) -> Evaluation:
    return evaluate(
        EvaluationInput(
            rules, Subject(), lambda _: view, lambda _: (), before, given.now, interval_seconds=given.turn_seconds
        )
    )


def _of_the_watch(given: FleetInput) -> Iterator[Step]:
    moment = Moment(given.now, Subject(), stale_after(given.turn_seconds))
    for name, summary in _OF_THE_WATCH.items():
        alert_id, seen = AlertId(name), given.watch.get(name, _UNKNOWN)
        alert = given.before.get(alert_id)
        if alert is not None or seen.truth.wrong:
            rule = Alert(
                Metadata(name, Origin("", 0)),
                expr="",
                summary=summary,
                for_seconds=_FOR_SECONDS.get(name, 0.0),
                severity=Severity.CRITICAL,
            )
            yield step(rule, alert_id, alert, seen, moment)
