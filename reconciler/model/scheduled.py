"""How far schedules have come: what was decided of their runs, and why. Their manifests stand in `schedules`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from reconciler.resources.values import dataclass, field, replace

RECENT_KEPT = 20


class Outcome(enum.Enum):
    """What became of a run that was due."""

    STARTED = "started"
    SKIPPED = "skipped"
    FAILED = "failed"
    """It could not be made ready, so nothing was enqueued."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A run of a schedule that is due: a nominal time, and the host on which it runs once that is known."""

    nominal: datetime
    host: str = ""
    run: str = ""
    """The run's id; empty until it is to be started."""


@dataclass(frozen=True, slots=True)
class Held:
    """A run that is due and waits."""

    nominal: datetime
    since: datetime
    """When it was first found to wait."""
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a schedule has come on one host, or altogether where it runs on one of its hosts."""

    watermark: datetime
    """Everything up to here is decided."""
    held: Held | None = None
    starting: Occurrence | None = None
    """Decided to start, and perhaps enqueued already: doing so again does no harm."""
    last: Occurrence | None = None
    """The run that was started last."""
    condition: bool | None = None
    """Of a trigger: what it was when it was last known."""
    since: datetime | None = None
    """Since when it has been so, until that has started a run or was let pass."""
    fired: tuple[datetime, ...] = ()
    """When it started runs, the newest last; as many as its limits ask for."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of the runs of one nominal time, or of a row of them, and why."""

    first: datetime
    last: datetime
    """The same as `first` but for a row of runs that were all skipped."""
    at: datetime
    outcome: Outcome
    reason: str = ""
    run: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """All that is remembered of a schedule."""

    timing: str
    """A fingerprint of when it is due: where that was edited, what was missed before means nothing."""
    progress: Mapping[str, Progress] = field(default_factory=dict)
    """By host; "" where it runs on one of them."""
    recent: tuple[Decision, ...] = ()
    """The newest first."""

    def with_decision(self, decision: Decision) -> ScheduleState:
        """The state with one more decision; equal ones on several hosts are one, and a row of equal skips is one."""
        for place, known in enumerate(self.recent):
            joined = _joined(known, decision)
            if joined:
                recent = (*self.recent[:place], joined, *self.recent[place + 1 :])
                return replace(self, recent=recent)
        return replace(self, recent=(decision, *self.recent)[:RECENT_KEPT])


@dataclass(frozen=True, slots=True)
class Suspension:
    """Somebody keeps a schedule from starting anything."""

    by: str
    at: datetime
    reason: str = ""


def _joined(known: Decision, new: Decision) -> Decision | None:
    """Both as one; None where they are not the same to people."""
    if (known.outcome, known.reason, known.run) != (new.outcome, new.reason, new.run):
        return None
    hosts = tuple(sorted({*known.hosts, *new.hosts}))
    if known.last == new.last and known.first == new.first:
        return replace(known, hosts=hosts)
    row = new.outcome is Outcome.SKIPPED and set(new.hosts) <= set(known.hosts)
    if row and known.last <= new.last:
        return replace(known, last=new.last, at=new.at)
    return None
