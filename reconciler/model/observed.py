"""What is: a host's last known state, as its executor reported it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.resources.values import dataclass, field


class AppStatus(enum.Enum):
    """How the last look or apply of an app on a host ended."""

    CONVERGED = "converged"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    CONFIRMING = "confirming"
    """Applied, and taken back again unless the host reaches Redis anew."""
    UNCONFIRMED = "unconfirmed"
    """Taken back, since the host could not reach Redis after the apply."""
    REFUSED = "refused"
    """The statement was missing or did not verify."""
    REPLAN = "replan"
    """Facts that a template reads have changed since the plan."""
    WAITING = "waiting"
    """Not tried: something that it depends on is not healthy."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A resource that no longer looks as it was left."""

    resource: str
    action: str
    """What would put it right: add, change or delete."""
    differences: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    """Of a file that everyone may read and that holds no secret: from the text that stands there to the wanted one."""


@dataclass(frozen=True, slots=True)
class ObservedApp:
    """The short form, one per app and host; enough to see that nothing is to be done."""

    generation: int
    digest: str
    status: AppStatus
    revision: str = ""
    secrets: str = ""
    """Keyed fingerprint of the secrets' values last applied."""
    error: str = ""
    drift: tuple[Drift, ...] = ()
    finished_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The long form, read only where something differs: what was last applied, so that it can be rendered again."""

    bundle: str
    values: str
    resources: Mapping[str, str]
    """Resource id -> fingerprint of what we last wrote."""
    adopted: tuple[str, ...] = ()
    """Ids of resources that existed before us; they stay when they leave the manifests."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> what this run did to it: add, change or delete."""


@dataclass(frozen=True, slots=True)
class ObservedHost:
    """Everything known of one host; a host never heard from is not in the map of observed hosts."""

    apps: Mapping[str, ObservedApp] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None
    generation: int = 0
    """The highest generation seen on the host or sent to it."""
    paused: Mapping[str, str] = field(default_factory=dict)
    """App (`*`: the whole host) -> why people paused it."""
    rejected: frozenset[str] = frozenset()
    """Digests that failed here and are not tried again."""
    seen_at: datetime | None = None
    """When an executor was last there."""
    unreachable: str = ""
    """Why executors could not reach it since then; empty when they could."""
    unreachable_since: datetime | None = None

    def paused_for(self, app: str) -> str:
        """Why people want the app left alone here; empty when they do not."""
        return self.paused.get("*", "") or self.paused.get(app, "")
