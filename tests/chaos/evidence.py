"""What is known after the storm: what was asked for, what the store says of it, and what hosts saw being done.

Read by `gathering`, judged by `audit`. Only values stand here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.model.work import WorkState
from tests.chaos.fleet import Job


@dataclass(frozen=True, slots=True)
class Asked:
    """A run on one host that was submitted, perhaps several times."""

    host: str
    id: str
    job: Job
    cancelled: bool = False
    """Whether the store agreed to cancel it."""
    priority: int = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A run's record in the store."""

    host: str
    id: str
    state: WorkState
    began: bool = False
    """An executor said that it begins."""
    deliveries: int = 0
    code: str = ""
    """Why it failed, as the result says."""
    listed: tuple[str, ...] = ("finished",)
    """The indexes of the host that name it."""


@dataclass(frozen=True, slots=True)
class Act:
    """A line that a job wrote while it acted on its host."""

    host: str
    id: str
    at: str
    """`begin` or `end`."""
    process: int
    """The shell that acted."""
    executor: str
    """Who started that shell: its process and when it began."""
    holder: str
    """Who held the lock under which it acted, by the lock's own file."""
    token: int
    """The holder's, by the same file."""
    exclusive: bool
    """Whether the lock was the host's."""
    tries: int = 1
    lost: int = 0
    """What the host remembered of the run."""

    @property
    def place(self) -> tuple[str, str, int]:
        """What acts: the same at its beginning and its end."""
        return self.host, self.executor, self.process


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. The lines of each file are in the order in which they were written."""

    asked: Sequence[Asked]
    """In the order in which they were submitted."""
    known: Sequence[Known]
    acts: Mapping[str, Sequence[Act]] = field(default_factory=dict)
    """By host."""
    locked: Mapping[str, Sequence[Act]] = field(default_factory=dict)
    """By named lock."""
    remembered: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(host, run) -> how it ended, by the host's own record."""
    left: Sequence[str] = ()
    """Keys and processes that should be gone by now."""
    endless: Sequence[str] = ()
    """Keys that never expire and are not listed as permanent."""
