"""A notification -> the message that a target gets: by the channel's template, or the default text. Pure.

Called by the notifier for every attempt. A template that fails costs nobody the message: the default text goes out
instead and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.alerting.pacing import urgency
from reconciler.alerting.wording import LONGEST_SUBJECT, message
from reconciler.errors import InvalidInput
from reconciler.model.alerts import ActiveAlert, Notification
from reconciler.model.delivery import Message, Style
from reconciler.rendering.messages import render_text
from reconciler.resources.values import replace

_SUBJECT = "Subject:"


def compose(
    notification: Notification,
    style: Style,
    *,
    template: str | None = None,
    templates: Mapping[str, str],
    fleet: str,
    now: datetime,
) -> tuple[Message, InvalidInput | None]:
    """The message, and what is wrong with the template where it failed.

    Args:
        notification: what is told.
        style: what the target takes.
        template: a path below templates/; None: the default text.
        templates: all of them.
        fleet: the fleet's name.
        now: the time.
    """
    default = message(notification, style, now)
    if template is None:
        return default, None
    try:
        text = render_text(template, templates, _variables(notification, default, fleet))
    except InvalidInput as error:
        note = f"(The template templates/{template} of channel {notification.channel} failed: {error.problems[0]})"
        return replace(default, body=f"{default.body}\n\n{note}"), error
    first, _, rest = text.partition("\n")
    if not first.startswith(_SUBJECT):
        return replace(default, body=text.strip() or default.body), None
    subject = first.removeprefix(_SUBJECT).strip()[:LONGEST_SUBJECT]
    return replace(default, subject=subject, body=rest.strip() or default.body), None


def _variables(notification: Notification, default: Message, fleet: str) -> Mapping[str, Any]:
    return {
        "told": notification.told.value,
        "subject": default.subject,
        "text": default.body,
        "style": default.style.value,
        "channel": notification.channel,
        "fleet": fleet,
        "group": dict(notification.group),
        "count": notification.count,
        "alerts": [_plain(alert) for alert in sorted(notification.alerts, key=urgency)],
    }


def _plain(alert: ActiveAlert) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "rule": alert.id.rule,
        "host": alert.id.host,
        "instance": alert.id.instance,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "summary": alert.summary,
        "value": alert.value,
        "labels": dict(alert.labels),
        "since": alert.since.isoformat(),
        "started_at": alert.started_at.isoformat() if alert.started_at else "",
        "runbook_url": alert.runbook_url,
        "reason": alert.reason,
        "stale": alert.stale,
    }
