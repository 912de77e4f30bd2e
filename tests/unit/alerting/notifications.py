"""Alerts and notifications for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from reconciler.model.alerts import ActiveAlert, AlertId, AlertState, Notification, Told
from reconciler.model.monitoring import Severity

NIGHT = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


def alert(
    name: str = "DiskFull@web-1:/var",
    state: AlertState = AlertState.FIRING,
    *,
    since: datetime = NIGHT,
    severity: Severity = Severity.CRITICAL,
    labels: Mapping[str, str] | None = None,
    reason: str = "",
) -> ActiveAlert:
    found = AlertId.parse(name)
    return ActiveAlert(
        found,
        state,
        since,
        started_at=NIGHT,
        value=93.21,
        severity=severity,
        labels={"alert": found.rule, "host": found.host, "severity": severity.value, **(labels or {"team": "web"})},
        summary="/var is 93 % full",
        runbook_url="https://wiki.example.org/disk-full",
        reason=reason,
    )


def notification(
    name: str = "n1", *alerts: ActiveAlert, at: datetime = NIGHT, channel: str = "night", told: Told = Told.FIRING
) -> Notification:
    return Notification(name, channel, told, alerts or (alert(),), at)


def many(count: int, *, at: datetime = NIGHT, every_seconds: float = 0.0, channel: str = "night") -> list[Notification]:
    """Notifications of one alert each, on hosts of their own."""
    return [
        notification(
            f"n{number:05}",
            alert(f"DiskFull@web-{number}"),
            at=at + timedelta(seconds=number * every_seconds),
            channel=channel,
        )
        for number in range(count)
    ]
