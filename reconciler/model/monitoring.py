"""What manifests say of alerts, of the channels that they go to, and of silences."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from reconciler.model.metadata import Metadata, Value
from reconciler.model.selector import EVERYTHING, Selector
from reconciler.model.times import Weekly, Window
from reconciler.resources.values import dataclass, field

HOST_STALE = "HostStale"
"""A host sends no samples any more."""
SOURCE_STALE = "SourceStale"
"""The followed repository was out of reach for longer than the Fleet's `staleSource`."""
SOURCE_INVALID = "SourceInvalid"
"""What is followed cannot be used, so that an older revision stays in force."""
REDIS_MEMORY_SHORT = "RedisMemoryShort"
"""No series are written, since Redis has used most of its memory."""
DELETES_HELD = "DeletesHeld"
"""The guard holds apps that delete more than it allows."""
BUILT_IN = frozenset({HOST_STALE, SOURCE_STALE, SOURCE_INVALID, REDIS_MEMORY_SHORT, DELETES_HELD})
"""The alerts that are there without a rule in the manifests."""


class Severity(enum.Enum):
    """How much it matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertScope(enum.Enum):
    """Whether a rule is about each host, or about the fleet as a whole."""

    HOST = "host"
    FLEET = "fleet"


@dataclass(frozen=True, slots=True)
class AlertRun:
    """A job that an alert starts when it fires."""

    job: str
    params: Mapping[str, Value] = field(default_factory=dict)
    cooldown_seconds: float = 900.0
    max_per_hour: int = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule: what is wrong, for how long it must be so, and what is said then."""

    metadata: Metadata
    expr: str
    summary: str
    hosts: Selector | None = EVERYTHING
    """None where `app` says which."""
    app: str | None = None
    scope: AlertScope = AlertScope.HOST
    each: str | None = None
    clear: str | None = None
    """None: as soon as `expr` is false."""
    for_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    severity: Severity = Severity.WARNING
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook_url: str | None = None
    inhibits: tuple[str, ...] = ()
    run: AlertRun | None = None

    @property
    def name(self) -> str:
        return self.metadata.name


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications go, which, when and how often."""

    metadata: Metadata
    urls: tuple[Value, ...]
    """Apprise URLs, each text or a secret's reference."""
    match: Selector
    """Over the labels of alerts; `alertname`, `severity` and `host` are among them."""
    fallback: bool = False
    after_seconds: float = 0.0
    active_times: tuple[Weekly, ...] = ()
    """Empty: always."""
    group_by: tuple[str, ...] = ("alert",)
    group_wait_seconds: float = 30.0
    group_interval_seconds: float = 300.0
    repeat_interval_seconds: float = 14_400.0
    rate_per_minute: float | None = None
    """None: what the service allows."""
    template: str | None = None
    """A file below templates/."""
    send_resolved: bool = True

    @property
    def name(self) -> str:
        return self.metadata.name


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that nobody is told of for a time."""

    metadata: Metadata
    match: Selector
    window: Window
    reason: str
    by: str = ""
    """Who set it by hand; empty: it stands in the manifests."""

    @property
    def name(self) -> str:
        return self.metadata.name
