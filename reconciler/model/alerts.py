"""Alerts that are, or were, and what is told of them. Rules stand in `monitoring`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from reconciler.model.monitoring import Severity
from reconciler.resources.values import dataclass, field


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

    def __str__(self) -> str:
        """As people name it: `FilesystemFull@web-1:/var`; neither a rule's nor a host's name holds `@` or `:`."""
        host = f"@{self.host}" if self.host else ""
        return f"{self.rule}{host}:{self.instance}" if self.instance else f"{self.rule}{host}"

    @classmethod
    def parse(cls, text: str) -> AlertId:
        """The inverse of `str`."""
        name, _, instance = text.partition(":")
        rule, _, host = name.partition("@")
        return cls(rule, host, instance)


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
    """Why it resolved, where that was not its expression: `the rule was removed`."""
    held_seconds: float = 0.0
    """While pending or recovering: how long that has been so, without gaps between samples."""
    seen_at: datetime | None = None
    """When the last sample came that could tell; a gap after it does not count."""
    condition: str = ""
    """Fingerprint of the rule's expressions: where it differs, the rule was edited, and this alert is another's."""


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert came into a state."""

    alert: ActiveAlert
    before: AlertState
    at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Someone looks after an alert until it resolves: no repeats, no escalation."""

    by: str
    at: datetime
    reason: str = ""
    started_at: datetime | None = None
    """Of the alert; one that fires anew needs another."""


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
