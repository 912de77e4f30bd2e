"""Rules and a sample in, alerts and what changed of them out. Pure; no rule's mistake ends another's evaluation.

Called by collectors for each sample of a host, by the monitor for rules over the fleet, and by `alerts test`. Whom to
tell of it is `routing`'s.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from reconciler.alerting.expressions import MetricExpression, Scope, compile_metrics
from reconciler.alerting.life import Patience, Stage, Truth, advance, counted, stale_after
from reconciler.alerting.summaries import summary_of
from reconciler.alerting.view import View
from reconciler.errors import InvalidInput
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState, Transition
from reconciler.model.metrics import METRICS
from reconciler.model.monitoring import Alert, AlertScope
from reconciler.resources.values import dataclass, field, replace

RESOLVED_KEPT = timedelta(minutes=15)
"""How long a resolved alert is still among the active ones, so that whoever was away hears why it ended."""
RULE_REMOVED = "the rule was removed"
RULE_CHANGED = "the rule was changed"

_EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Subject:
    """The host that rules are evaluated for; without a name it is the fleet."""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The apps on it and their labels."""


@dataclass(frozen=True, slots=True)
class EvaluationInput:
    """Everything that an evaluation rests on.

    Args:
        rules: all rules; those that are not about the host are passed over.
        views: the metrics of an instance of what a rule goes through one by one; "" for the host itself.
        instances: what there is of `each`, also what was there within the last stale window.
        before: the alerts after the last evaluation.
        held: apps that are being applied, or were a moment ago; alerts that name one of them stand still.
        interval_seconds: between two samples.
    """

    rules: Sequence[Alert]
    host: Subject
    views: Callable[[str], View]
    instances: Callable[[str], Sequence[str]]
    before: Mapping[AlertId, ActiveAlert]
    now: datetime
    held: Collection[str] = ()
    interval_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The alerts that are or were a moment ago, and what changed."""

    active: Mapping[AlertId, ActiveAlert]
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sample says of one alert."""

    truth: Truth
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What is the same for all alerts of a host at one sample."""

    now: datetime
    host: Subject
    gap_seconds: float
    """A longer time between two samples does not count."""
    held: Collection[str] = ()


Step: TypeAlias = "tuple[ActiveAlert | None, tuple[Transition, ...]]"
"""An alert, and the states that it came into."""


def evaluate(given: EvaluationInput) -> Evaluation:
    """Every rule that is about the host, for each instance; alerts of rules that are gone resolve."""
    moment = Moment(given.now, given.host, stale_after(given.interval_seconds), given.held)
    found: list[Step] = []
    met: set[AlertId] = set()
    for rule in given.rules:
        if not about(rule, given.host):
            continue
        for instance in given.instances(rule.each) if rule.each else ("",):
            alert_id = AlertId(rule.name, given.host.name, instance)
            if alert_id not in met:
                met.add(alert_id)
                found.append(_judged(rule, alert_id, given, moment))
    rules = {rule.name: rule for rule in given.rules}
    for alert_id, alert in given.before.items():
        if alert_id not in met:
            found.append(ended(alert, _why_gone(alert_id, rules.get(alert_id.rule), given.host), given.now))
    return gathered(found)


def gathered(found: Sequence[Step]) -> Evaluation:
    """What was found of single alerts, as one evaluation."""
    active = {alert.id: alert for alert, _ in found if alert is not None}
    return Evaluation(active, tuple(transition for _, transitions in found for transition in transitions))


def about(rule: Alert, host: Subject) -> bool:
    """Whether the rule is evaluated for the host, or for the fleet where the subject has no name."""
    if rule.scope is AlertScope.FLEET or not host.name:
        return rule.scope is AlertScope.FLEET and not host.name
    if rule.app is not None:
        return rule.app in host.apps
    return rule.hosts is not None and rule.hosts.matches(host.name, host.labels, host.apps)


def compiled(rule: Alert) -> tuple[MetricExpression, MetricExpression | None]:
    """The rule's expressions: when something is wrong, and where it says so when that is over.

    Raises:
        InvalidInput: one cannot be read; manifests that were checked hold no such rule.
    """
    scope = Scope(each=rule.each or "", fleet=rule.scope is AlertScope.FLEET)
    return compile_metrics(rule.expr, scope), compile_metrics(rule.clear, scope) if rule.clear else None


def step(rule: Alert, alert_id: AlertId, before: ActiveAlert | None, seen: Seen, moment: Moment) -> Step:
    """One alert after one more sample; no alert where there is nothing to remember of it."""
    condition = _condition(rule.expr, rule.clear, rule.each)
    if before is not None and before.state is not AlertState.RESOLVED and before.condition not in {"", condition}:
        resolved, transitions = ended(before, RULE_CHANGED, moment.now)
        after, more = step(rule, alert_id, resolved, seen, moment)
        return after, (*transitions, *more)
    held = any(app in moment.held for app in _named_apps(rule, alert_id))
    truth = Truth(None, None) if held else seen.truth
    stage = Stage(before.state, before.held_seconds) if before else Stage()
    known = (truth.over if stage.state.told else truth.wrong) is not None
    elapsed = counted(before.seen_at, moment.now, moment.gap_seconds) if before else 0.0
    reached = advance(stage, truth, Patience(rule.for_seconds, rule.keep_firing_seconds), elapsed)
    if before is None and reached.state is AlertState.INACTIVE:
        return None, ()
    if before is not None and reached.state is AlertState.RESOLVED is before.state:
        return _kept(before, moment.now), ()
    over = reached.state in _OVER
    described = before if over and before else _described(rule, alert_id, moment.host, before, seen.value)
    alert = replace(
        described,
        state=reached.state,
        held_seconds=reached.held_seconds,
        seen_at=moment.now if known else described.seen_at,
        stale=not known and not held,
        condition=condition,
    )
    return _moved(alert, stage.state, moment.now)


def ended(alert: ActiveAlert, reason: str, now: datetime) -> Step:
    """An alert that is over for another reason than its expression."""
    if alert.state is AlertState.RESOLVED:
        return _kept(alert, now), ()
    after = AlertState.RESOLVED if alert.state.told else AlertState.INACTIVE
    return _moved(replace(alert, state=after, reason=reason, stale=False), alert.state, now)


def _moved(alert: ActiveAlert, before: AlertState, now: datetime) -> Step:
    """Notes a change of state, if there is one: since when, which number, and when it began to fire."""
    if alert.state is before:
        return alert, ()
    alert = replace(alert, since=now, sequence=alert.sequence + 1)
    if alert.state is AlertState.FIRING and not before.told:
        alert = replace(alert, started_at=now, reason="")
    transition = Transition(alert, before, now)
    return None if alert.state is AlertState.INACTIVE else alert, (transition,)


def _judged(rule: Alert, alert_id: AlertId, given: EvaluationInput, moment: Moment) -> Step:
    view, before = given.views(alert_id.instance), given.before.get(alert_id)
    try:
        expression, clear = compiled(rule)
    except InvalidInput:
        seen = Seen(Truth(None, None))
    else:
        seen = _seen(expression, clear, view, wanted=before is not None)
    if before is None and not seen.truth.wrong:
        return None, ()
    return step(rule, alert_id, before, seen, moment)


def _seen(expression: MetricExpression, clear: MetricExpression | None, view: View, *, wanted: bool) -> Seen:
    """The truth of a rule; its value only where someone will look at it."""
    wrong = expression.holds(view)
    if not (wrong or wanted):
        return Seen(Truth(wrong, None))
    over = clear.holds(view) if clear else None if wrong is None else not wrong
    value = expression.subject(view)
    return Seen(Truth(wrong, over), float(value) if isinstance(value, int | float) else None)


def _described(
    rule: Alert, alert_id: AlertId, host: Subject, before: ActiveAlert | None, value: float | None
) -> ActiveAlert:
    """The alert as its rule and the sample describe it now; where it is in its life stays as it was."""
    labels = labels_of(rule, alert_id, host)
    value = before.value if value is None and before else value
    described = before or ActiveAlert(alert_id, AlertState.INACTIVE, since=_NEVER)
    return replace(
        described,
        value=value,
        severity=rule.severity,
        labels=labels,
        summary=summary_of(rule, value, host.name, labels),
        runbook_url=rule.runbook_url or "",
    )


def labels_of(rule: Alert, alert_id: AlertId, host: Subject) -> Mapping[str, str]:
    """What channels and silences pick an alert by; the rule's own labels win over the app's, these over the host's."""
    app = next(iter(_named_apps(rule, alert_id)), None)
    labels = {**host.labels, **(host.apps.get(app, _EMPTY) if app else _EMPTY), **rule.labels}
    own = {"alert": rule.name, "severity": rule.severity.value}
    where = {"host": host.name} if host.name else {}
    each = {rule.each: alert_id.instance} if rule.each else {}
    return {**labels, **each, **({"app": app} if app else {}), **where, **own}


def _named_apps(rule: Alert, alert_id: AlertId) -> Collection[str]:
    """The apps that an alert names: that of its rule, or the one that it is about."""
    if rule.app is not None:
        return (rule.app,)
    return (alert_id.instance,) if rule.each == _APP else ()


def _why_gone(alert_id: AlertId, rule: Alert | None, host: Subject) -> str:
    if rule is None:
        return RULE_REMOVED
    if not about(rule, host):
        return "the rule is no longer about this host"
    return f"{alert_id.instance} is gone" if alert_id.instance else RULE_CHANGED


def _kept(resolved: ActiveAlert, now: datetime) -> ActiveAlert | None:
    return resolved if now - resolved.since < RESOLVED_KEPT else None


@functools.lru_cache(maxsize=4096)
def _condition(expr: str, clear: str | None, each: str | None) -> str:
    """Fingerprint of what a rule asks; how long it waits and what it says may change while it fires."""
    return hashlib.sha256("\0".join((expr, clear or "", each or "")).encode()).hexdigest()[:12]


_APP = METRICS["health.ok"].each
_OVER = frozenset({AlertState.RESOLVED, AlertState.INACTIVE})
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
