"""Alerts that are, or were, and what is told of them. Rules stand in `monitoring`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.monitoring import Severity


class AlertState(enum.Enum):
    """The life of an alert; whether its samples are fresh or stale is told apart."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"

    @property
    def told(self) -> bool:
        """Whether people are told of it while it is so."""
        return self in {AlertState.FIRING, AlertState.RECOVERING}


@dataclass(frozen=True, slots=True)
class AlertId:
    """What makes an alert the same one: its rule, its host (empty: the fleet) and what of the host it is about."""

    rule: str
    host: str = ""
    instance: str = ""
    """Such as `/var` for a rule with `each: filesystem`."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert at one moment."""

    id: AlertId
    state: AlertState
    since: datetime
    """Of this state."""
    started_at: datetime | None = None
    """When it began to fire."""
    value: float | None = None
    severity: Severity = Severity.WARNING
    labels: Mapping[str, str] = field(default_factory=dict)
    """Its own, those of its app and of its host, and `alert`, `severity`, `host` and what `each` names."""
    summary: str = ""
    runbook_url: str = ""
    stale: bool = False
    sequence: int = 0
    """Grows with every transition."""
    reason: str = ""
    """Why it resolved, where that was not its expression: `rule removed`."""


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert came into a state."""

    alert: ActiveAlert
    before: AlertState
    at: datetime


class Told(enum.Enum):
    """What a notification says."""

    FIRING = "firing"
    RESOLVED = "resolved"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for one channel, about a group of alerts."""

    id: str
    """(fingerprint of the group, what is told, sequence): the same message has the same id each time."""
    channel: str
    told: Told
    alerts: tuple[ActiveAlert, ...]
    created_at: datetime
    group: Mapping[str, str] = field(default_factory=dict)
    """The labels that its alerts have in common by the channel's groupBy."""
    count: int = 0
    """Of a digest: how many messages it stands for."""
