"""What manifests say of when jobs run, and of times in which nothing is rolled out."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from reconciler.model.metadata import Metadata, Value
from reconciler.model.selector import EVERYTHING, Selector
from reconciler.model.times import Window
from reconciler.resources.values import dataclass, field


class RunOn(enum.Enum):
    """Whether a schedule runs on each of its hosts or on one of them."""

    EACH = "each"
    ONE = "one"


class Concurrency(enum.Enum):
    """What happens when the run before is still under way."""

    FORBID = "forbid"
    REPLACE = "replace"
    ALLOW = "allow"


class CatchUp(enum.Enum):
    """Which of the runs missed during an outage are made up for."""

    LATEST = "latest"
    NONE = "none"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A condition whose turning true starts a run: an alert that fires, or an expression."""

    alert: str | None = None
    expr: str | None = None
    for_seconds: float = 0.0
    cooldown_seconds: float = 600.0
    max_per_hour: int = 4


@dataclass(frozen=True, slots=True)
class Schedule:
    """Runs a job by time or on a condition; exactly one of `cron`, `every_seconds`, `at` and `trigger` is set."""

    metadata: Metadata
    hosts: Selector
    job: str
    params: Mapping[str, Value] = field(default_factory=dict)
    cron: str | None = None
    every_seconds: float | None = None
    at: datetime | None = None
    trigger: Trigger | None = None
    run_on: RunOn = RunOn.EACH
    gate: str | None = None
    timezone: str = "UTC"
    concurrency: Concurrency = Concurrency.FORBID
    starting_deadline_seconds: float = 600.0
    catch_up: CatchUp = CatchUp.LATEST
    jitter_seconds: float = 0.0
    suspend: bool = False

    @property
    def name(self) -> str:
        return self.metadata.name


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which changes of these apps on these hosts wait; healing goes on."""

    metadata: Metadata
    window: Window
    reason: str
    hosts: Selector = EVERYTHING
    apps: frozenset[str] | None = None
    """None: all."""

    @property
    def name(self) -> str:
        return self.metadata.name
