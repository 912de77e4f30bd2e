"""How alerts, transitions, notifications and what was told of them stand in Redis: JSON, times as Unix seconds.

Shared by `alerts` and `outbox`. What is empty is left out; decoding believes nothing that it has not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.model.alerts import (
    Acknowledgement,
    ActiveAlert,
    AlertId,
    AlertState,
    Notification,
    Told,
    Transition,
)
from reconciler.model.monitoring import Severity
from reconciler.model.texts import one_line
from reconciler.store.reading import instant, whole, word, word_map


def alert_form(alert: ActiveAlert) -> dict[str, Any]:
    """An alert as a map; its id stands outside or under `id`."""
    form: dict[str, Any] = {
        "state": alert.state.value,
        "severity": alert.severity.value,
        "sequence": alert.sequence,
        "value": alert.value,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "runbook_url": alert.runbook_url,
        "stale": alert.stale,
        "reason": alert.reason,
        "held_seconds": alert.held_seconds,
        "condition": alert.condition,
    }
    times = {"since": alert.since, "started_at": alert.started_at, "seen_at": alert.seen_at}
    form |= {name: at.timestamp() if at else None for name, at in times.items()}
    return {name: value for name, value in form.items() if value not in (None, "", False, {})}


def read_alert(alert_id: AlertId, form: Mapping[str, Any]) -> ActiveAlert:
    """The inverse of `alert_form`. Its texts go into messages, where another line could be taken for one of ours."""
    get = form.get
    return ActiveAlert(
        alert_id,
        AlertState(form["state"]),
        sure_moment(form["since"]),
        instant(get("started_at")),
        _number(get("value")),
        Severity(form["severity"]),
        {one_line(name): one_line(value) for name, value in word_map(get("labels", {})).items()},
        one_line(word(get("summary", ""))),
        one_line(word(get("runbook_url", ""))),
        get("stale") is True,
        whole(form.get("sequence", 0)),
        one_line(word(get("reason", ""))),
        _number(get("held_seconds", 0)) or 0.0,
        instant(get("seen_at")),
        word(get("condition", "")),
    )


def transition_form(name: str, transition: Transition) -> dict[str, Any]:
    """A transition as a map, with what its alert is called in the slot."""
    at, before = transition.at.timestamp(), transition.before.value
    return {"id": name, "at": at, "before": before, "alert": alert_form(transition.alert)}


def read_transition(host: str, form: Mapping[str, Any]) -> Transition:
    """The inverse of `transition_form`."""
    alert = read_alert(placed(host, word(form["id"])), form["alert"])
    return Transition(alert, AlertState(form["before"]), sure_moment(form["at"]))


def notification_form(notification: Notification) -> dict[str, Any]:
    """A notification as a map."""
    return {
        "id": notification.id,
        "channel": notification.channel,
        "told": notification.told.value,
        "created_at": notification.created_at.timestamp(),
        "group": dict(notification.group),
        "count": notification.count,
        "alerts": [{"id": str(alert.id), **alert_form(alert)} for alert in notification.alerts],
    }


def read_notification(form: Mapping[str, Any]) -> Notification:
    """The inverse of `notification_form`."""
    return Notification(
        word(form["id"]),
        word(form["channel"]),
        Told(form["told"]),
        tuple(read_alert(AlertId.parse(word(alert["id"])), alert) for alert in form["alerts"]),
        sure_moment(form["created_at"]),
        word_map(form.get("group", {})),
        whole(form.get("count", 0)),
    )


def acknowledgement_form(found: Acknowledgement) -> dict[str, Any]:
    """An acknowledgement as a map."""
    started = found.started_at.timestamp() if found.started_at else None
    return {"by": found.by, "at": found.at.timestamp(), "reason": found.reason, "started_at": started}


def read_acknowledgement(form: Mapping[str, Any]) -> Acknowledgement:
    """The inverse of `acknowledgement_form`."""
    at = sure_moment(form["at"])
    return Acknowledgement(word(form["by"]), at, word(form.get("reason", "")), instant(form.get("started_at")))


def name_in_slot(alert_id: AlertId) -> str:
    """How an alert is called in its host's slot."""
    return str(_local(alert_id))


def placed(host: str, name: str) -> AlertId:
    """The inverse of `name_in_slot`; a host can only speak of itself, in names that stand on one line."""
    if not name.isprintable():
        raise ValueError("a name that cannot be printed")
    found = AlertId.parse(name)
    return AlertId(found.rule, host, found.instance) if host else found


def _local(alert_id: AlertId) -> AlertId:
    return AlertId(alert_id.rule, "", alert_id.instance)


def sure_moment(seconds: Any) -> datetime:
    """Unix seconds that must be there."""
    found = instant(seconds)
    if found is None:
        raise ValueError("no time where one is expected")
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise TypeError("no number where one is expected")
    return None if value is None else float(value)
