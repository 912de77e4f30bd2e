"""Work in Redis: converge marks, runs of jobs, claims on them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.resources.values import dataclass, field


class WorkState(enum.Enum):
    """The life of a piece of work; each state is visible to people."""

    QUEUED = "queued"
    LEASED = "leased"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    RETRYING = "retrying"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"

    @property
    def finished(self) -> bool:
        return self not in {WorkState.QUEUED, WorkState.LEASED, WorkState.RUNNING, WorkState.RETRYING}


CONVERGE = "converge"
RUN = "run"
PRIORITY = 5
"""Of 0 to 9, where a lower number is taken first: what people ask for, and what apps need."""
BY_THE_CLOCK = 6
"""The priority of runs that schedules start."""


class Lane(enum.Enum):
    """In which order a host's work is done: what changes resources one after the other, the rest beside it."""

    MAIN = "main"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work for one host. A converge mark has the id `converge:APP` and coalesces."""

    id: str
    host: str
    kind: str
    """`converge` or `run`."""
    args: Mapping[str, Any] = field(default_factory=dict)
    state: WorkState = WorkState.QUEUED
    priority: int = PRIORITY
    """0 to 9; a lower number is taken first."""
    attempt: int = 0
    deliveries: int = 0
    """How often it was claimed; three lost ones end it as dead."""
    token: int = 0
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lane: Lane = Lane.MAIN
    lock: str = ""
    """The named lock that it waits for before it is handed out."""
    output_bytes: int = 0
    """How much it has printed so far; the last of it is kept."""
    ending: bool = False
    """It was withdrawn while someone had it, who has not yet said that its processes are gone."""


@dataclass(frozen=True, slots=True)
class Output:
    """What work has printed."""

    text: str
    end_bytes: int
    """Where the text ends in all that was printed: what to go on from."""


def mark_of(app: str) -> str:
    """The id of the one coalescing mark that says that an app is due on a host."""
    return f"{CONVERGE}:{app}"


def converge_mark(host: str, app: str, reason: str = "") -> Work:
    """The mark itself."""
    return Work(mark_of(app), host, CONVERGE, {"app": app}, reason=reason)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on something until its lease runs out; writes carry (attempt, token)."""

    work: Work
    attempt: int
    token: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to try something alone: control over the fleet (name `control`), or a host from a pool."""

    name: str
    holder: str
    term: int
    """Grows with every new holder; writes below the highest term seen are refused."""
