"""What people read of alerts when no template says otherwise: written for a phone at night. Pure.

The subject says state, what, where and since when, in 80 characters; the body adds values, the runbook, and commands to
copy that acknowledge and silence.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.alerting.pacing import urgency
from reconciler.model.alerts import ActiveAlert, AlertState, Notification, Told
from reconciler.model.delivery import Message, Style

LONGEST_SUBJECT = 80
LONGEST_SHORT = 160
"""Characters of one SMS."""
TOLD_IN_FULL = 5
"""Alerts of a message with all that is known of them; the others have a line each."""
LISTED = 20
_PLACES = 2
"""Places that a subject names."""


def message(notification: Notification, style: Style, now: datetime) -> Message:
    """The default text."""
    alerts = sorted(notification.alerts, key=urgency)
    subject = subject_of(notification, now)
    over = not any(alert.state.told for alert in alerts)
    short = style is Style.SHORT
    body = _cut(_short(subject, alerts), LONGEST_SHORT) if short else "\n".join(_body(notification, alerts, style, now))
    return Message(subject, body, style, over)


def subject_of(notification: Notification, now: datetime) -> str:
    """State, what, where, since."""
    firing = [alert for alert in notification.alerts if alert.state.told]
    over = [alert for alert in notification.alerts if not alert.state.told]
    if notification.told is Told.DIGEST:
        count = f"{notification.count} message{'' if notification.count == 1 else 's'}"
        return _cut(f"DIGEST of {count}: {len(firing)} firing, {len(over)} resolved", LONGEST_SUBJECT)
    told = sorted(firing or over, key=urgency)
    if not told:
        return "NOTHING to tell"
    state = "FIRING" if firing else "RESOLVED"
    worst = f" {told[0].severity.value}" if firing else ""
    rules = sorted({alert.id.rule for alert in told})
    what = rules[0] if len(rules) == 1 else f"{len(told)} alerts"
    also = f", {len(over)} resolved" if firing and over else ""
    began = min(_began(alert) for alert in told)
    when = _since(began, now) if firing else f"after {_duration(max(alert.since for alert in told) - began)}"
    tail = f" {when}{also}"
    head = f"{state}{worst}: {what}{_where(told)}"
    return f"{_cut(head, LONGEST_SUBJECT - len(tail))}{tail}"


def _where(alerts: Sequence[ActiveAlert]) -> str:
    places = list(dict.fromkeys(place for alert in alerts if (place := _place(alert))))
    more = len(places) - _PLACES
    named = ", ".join(places[:_PLACES])
    return "" if not places else f" on {named}" + (f" and {more} more" if more > 0 else "")


def _place(alert: ActiveAlert) -> str:
    return ":".join(part for part in (alert.id.host, alert.id.instance) if part)


def _began(alert: ActiveAlert) -> datetime:
    return alert.started_at or alert.since


def _since(moment: datetime, now: datetime) -> str:
    """`since 03:12 UTC`, with the day where it was another."""
    local, today = moment.astimezone(UTC), now.astimezone(UTC).date()
    return f"since {local:%H:%M} UTC" if local.date() == today else f"since {local:%m-%d %H:%M} UTC"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _short(subject: str, alerts: Sequence[ActiveAlert]) -> str:
    return f"{subject}. {alerts[0].summary}" if len(alerts) == 1 and alerts[0].summary else subject


def _body(notification: Notification, alerts: Sequence[ActiveAlert], style: Style, now: datetime) -> Iterator[str]:
    in_full = 0 if notification.told is Told.DIGEST else TOLD_IN_FULL
    if not in_full:
        yield "These messages came too fast or could not be sent for too long. The latest state of each alert:"
        yield ""
    for alert in alerts[:in_full]:
        yield from _in_full(alert, style, now)
        yield ""
    listed = alerts[in_full:]
    for alert in listed[:LISTED]:
        yield _line(alert, style)
    if len(listed) > LISTED:
        yield f"... and {len(listed) - LISTED} more: {_code('reconcile alerts list', style)}"
    firing = [alert for alert in alerts if alert.state.told]
    if firing:
        yield from [""] if listed else []
        yield from _commands(firing, style)


def _line(alert: ActiveAlert, style: Style) -> str:
    return f"- {_heading(alert, style)}: {alert.summary}".removesuffix(": ")


def _heading(alert: ActiveAlert, style: Style) -> str:
    """`FIRING critical: DiskFull on web-1:/var`."""
    place = _place(alert)
    state = f"FIRING {alert.severity.value}" if alert.state.told else "RESOLVED"
    text = f"{state}: {alert.id.rule}" + (f" on {place}" if place else "")
    return f"**{text}**" if style is Style.MARKDOWN else text


def _in_full(alert: ActiveAlert, style: Style, now: datetime) -> Iterator[str]:
    yield _heading(alert, style)
    if alert.summary:
        yield alert.summary
    yield from (f"- {line}" for line in _details(alert, now))


def _details(alert: ActiveAlert, now: datetime) -> Iterator[str]:
    began = _began(alert)
    if alert.state.told:
        yield f"{_since(began, now)}, for {_duration(now - began)}"
    else:
        yield f"over {_since(alert.since, now)}, after {_duration(alert.since - began)}"
    if alert.reason:
        yield f"why it is over: {alert.reason}"
    if alert.stale:
        yield "the host has not reported since; this is its last known state"
    if alert.value is not None:
        yield f"value: {alert.value:.6g}"
    labels = {name: value for name, value in alert.labels.items() if name not in {"alert", "severity", "host"}}
    if labels:
        yield "labels: " + ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    if alert.runbook_url and alert.state is not AlertState.RESOLVED:
        yield f"runbook: {alert.runbook_url}"


def _commands(firing: Sequence[ActiveAlert], style: Style) -> Iterator[str]:
    names = " ".join(shlex.quote(str(alert.id)) for alert in firing[:TOLD_IN_FULL])
    first = firing[0]
    match = f"alert={first.id.rule}" + (f",host={first.id.host}" if first.id.host else "")
    yield f"Acknowledge: {_code(f'reconcile alerts ack {names}', style)}"
    yield f"Silence: {_code(f'reconcile silence add {shlex.quote(match)} --for 2h --reason TEXT', style)}"


def _code(command: str, style: Style) -> str:
    return f"`{command}`" if style is Style.MARKDOWN else command


def _duration(span: timedelta) -> str:
    """`3 d 4 h`, `2 h 5 min`, `40 s`: two units are enough."""
    seconds = max(0, int(span.total_seconds()))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
