"""Enqueues runs that were decided on. Called by the scheduler; doing it again for the same run does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, timedelta
from itertools import groupby

from reconciler.clock import Clock
from reconciler.errors import InvalidInput, Refused
from reconciler.loops.running.submitting import Order
from reconciler.loops.scheduling.plans import Planned
from reconciler.model.manifests import Manifests
from reconciler.model.scheduled import Occurrence
from reconciler.model.work import BY_THE_CLOCK, PRIORITY, Work
from reconciler.planner.jobs import filled
from reconciler.planner.resolver import Locate
from reconciler.resources.values import dataclass
from reconciler.store import Store

_SHORTEST = timedelta(minutes=1)
"""For which a run waits for its host at least."""


@dataclass(frozen=True, slots=True)
class Start:
    """A run that is to be enqueued on a host."""

    plan: Planned
    line: str
    """Whose progress it is."""
    occurrence: Occurrence
    replaces: Occurrence | None = None
    """The run that is ended for it."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Submits runs, those of one schedule and time at once.

    Args:
        submit: signs and enqueues.
    """

    submit: Callable[[Order, Manifests, Locate], Sequence[Work]]
    store: Store
    clock: Clock

    def begin(self, starts: Sequence[Start], manifests: Manifests, locate: Locate) -> Iterator[tuple[Start, str]]:
        """Enqueue them; each with why that was not possible, empty where it was.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        for start in starts:
            if start.replaces:
                reason = f"replaced by {start.occurrence.run}"
                self.store.work.supersede(start.replaces.host, start.replaces.run, reason=reason)
        ordered = sorted(starts, key=_together)
        for _, group in groupby(ordered, _together):
            yield from self._begin(list(group), manifests, locate)

    def _begin(self, starts: Sequence[Start], manifests: Manifests, locate: Locate) -> Iterator[tuple[Start, str]]:
        try:
            self.submit(self._order(starts, manifests), manifests, locate)
        except (InvalidInput, Refused) as error:
            if len(starts) == 1:
                yield starts[0], str(error)
                return
            for start in starts:  # what is wrong with one host keeps no other waiting
                yield from self._begin([start], manifests, locate)
        else:
            yield from ((start, "") for start in starts)

    def _order(self, starts: Sequence[Start], manifests: Manifests) -> Order:
        first = starts[0]
        schedule, occurrence = first.plan.schedule, first.occurrence
        job = manifests.jobs[schedule.job]
        patience = max(timedelta(seconds=schedule.starting_deadline_seconds), _SHORTEST)
        kind = "alert" if first.plan.of_alert else "schedule"
        return Order(
            id=occurrence.run,
            job=job,
            params=filled(job, schedule.params),
            hosts=tuple(sorted(start.occurrence.host for start in starts)),
            not_after=self.clock.now() + patience,
            by=f"{kind} {schedule.name}",
            reason=f"{kind} {schedule.name}, {occurrence.nominal.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            priority=PRIORITY if first.plan.of_alert else BY_THE_CLOCK,
        )


def _together(start: Start) -> tuple[str, str]:
    return start.plan.name, start.occurrence.run
