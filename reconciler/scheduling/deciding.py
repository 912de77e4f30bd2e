"""What becomes of runs that are due on a host: started, held or skipped, each with its reason.

Called by the scheduler's loop with what is remembered and what it has gathered. Everything is found again from the
watermark, so that a scheduler that was away, or died in the middle, is no special case: what lies between the watermark
and now is due.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.model.scheduled import Held, Progress
from reconciler.model.schedules import CatchUp, Concurrency, Schedule
from reconciler.resources.values import dataclass, replace
from reconciler.scheduling.conditions import Edge, Limits, look
from reconciler.scheduling.timing import Timing

MOST_MADE_UP = 100
"""Runs that `catchUp: all` makes up for; of more, the newest."""

LATER_ONE = "a later run took its place"
MISSED = "nobody was there to start it in time (catchUp: none)"
TOO_MANY = f"more than {MOST_MADE_UP} were missed"

_INSTANT = timedelta(microseconds=1)


class Verdict(enum.Enum):
    """What becomes of a run that is due."""

    START = "start"
    REPLACE = "replace"
    """Start it, and end the one before."""
    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and why."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Runs that are not started: those from one nominal time to another."""

    first: datetime
    last: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Due:
    """The next run to decide on, and those before it that it takes the place of."""

    nominal: datetime
    passed: Skipped | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision rests on beside the schedule and its progress.

    Args:
        now: the moment.
        offset: by how much this host starts later than the nominal time.
        suspended: why nothing is started at all; empty: it is.
        under_way: the id of this schedule's last run on the host, while it has not ended.
        hindrance: why the host takes no runs now; empty: it does.
        gate: whether the gate holds; None: that is not known. True where there is none.
        condition: whether the trigger's condition holds; None: that is not known.
    """

    now: datetime
    offset: timedelta = timedelta()
    suspended: str = ""
    under_way: str = ""
    hindrance: str = ""
    gate: bool | None = True
    condition: bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What was decided at one moment, for one run at most.

    Args:
        progress: what is remembered from now on.
        nominal: of the run that was decided on; None: none was due.
        judged: what becomes of it.
        skipped: those that are not started, with why.
    """

    progress: Progress
    nominal: datetime | None = None
    judged: Judgement = Judgement(Verdict.HOLD)
    skipped: tuple[Skipped, ...] = ()

    @property
    def starts(self) -> bool:
        """Whether a run is to be started."""
        return self.judged.verdict in {Verdict.START, Verdict.REPLACE}


def step(schedule: Schedule, timing: Timing | None, progress: Progress, given: Circumstances) -> Step:
    """Decide on the next run that is due."""
    if timing is None:
        return _step_of_trigger(schedule, progress, given)
    found = due(schedule, timing, progress, given.now - given.offset)
    return _decided(schedule, progress, found, given) if found else Step(progress)


def _step_of_trigger(schedule: Schedule, progress: Progress, given: Circumstances) -> Step:
    trigger = schedule.trigger
    if trigger is None:
        return Step(progress)
    limits = Limits(trigger.cooldown_seconds, trigger.max_per_hour)
    edge = look(progress, given.condition, trigger.for_seconds, limits, given.now)
    if edge.fires:
        return fired(schedule, edge, given.now, given)
    held = edge.progress.held
    return _decided(schedule, edge.progress, Due(held.nominal), given) if held else Step(edge.progress)


def fired(schedule: Schedule, edge: Edge, nominal: datetime, given: Circumstances) -> Step:
    """Decide on the run of a condition that turned true."""
    progress = replace(edge.progress, watermark=max(edge.progress.watermark, nominal))
    if edge.refused:
        refused = Skipped(nominal, nominal, edge.refused)
        return Step(progress, nominal, Judgement(Verdict.SKIP, edge.refused), (refused,))
    held = progress.held
    passed = Skipped(held.nominal, held.nominal, f"{held.reason}; {LATER_ONE}") if held else None
    return _decided(schedule, progress, Due(nominal, passed), given)


def due(schedule: Schedule, timing: Timing, progress: Progress, moment: datetime) -> Due | None:
    """What is to be decided at a moment (that of the host, so less its offset); None: nothing is due.

    Its cost does not grow with how long nobody looked.
    """
    latest = timing.until(moment)
    if latest is None or latest <= progress.watermark:
        return None
    chosen, reason = latest, f"{progress.held.reason}; {LATER_ONE}" if progress.held else LATER_ONE
    if schedule.catch_up is CatchUp.ALL:
        chosen, reason = _oldest(timing, latest, progress.watermark), TOO_MANY
    before = timing.until(chosen - _INSTANT)
    if before is None or before <= progress.watermark:
        return Due(chosen)
    return Due(chosen, Skipped(timing.after(progress.watermark) or before, before, reason))


def _oldest(timing: Timing, latest: datetime, watermark: datetime) -> datetime:
    """The oldest of those that are made up for."""
    found = latest
    for _ in range(MOST_MADE_UP - 1):
        before = timing.until(found - _INSTANT)
        if before is None or before <= watermark:
            break
        found = before
    return found


def _decided(schedule: Schedule, progress: Progress, found: Due, given: Circumstances) -> Step:
    judged = judge(schedule, found, progress, given)
    passed = (found.passed,) if found.passed else ()
    if judged.verdict is Verdict.HOLD:
        watermark = max(progress.watermark, found.passed.last) if found.passed else progress.watermark
        same = progress.held if progress.held and progress.held.nominal == found.nominal else None
        held = Held(found.nominal, same.since if same else given.now, judged.reason)
        return Step(replace(progress, watermark=watermark, held=held), found.nominal, judged, passed)
    progress = replace(progress, watermark=max(progress.watermark, found.nominal), held=None)
    if judged.verdict is Verdict.SKIP:
        first = found.passed.first if found.passed else found.nominal
        passed = (Skipped(first, found.nominal, judged.reason),)
    return Step(progress, found.nominal, judged, passed)


def judge(schedule: Schedule, found: Due, progress: Progress, given: Circumstances) -> Judgement:
    """What becomes of a run that is due."""
    if given.suspended:
        return Judgement(Verdict.SKIP, given.suspended)
    deadline = timedelta(seconds=schedule.starting_deadline_seconds)
    held = progress.held if progress.held and progress.held.nominal == found.nominal else None
    late = given.now - found.nominal - given.offset
    if held is None and schedule.catch_up is CatchUp.NONE and late > deadline:
        return Judgement(Verdict.SKIP, MISSED)
    hindrance = next(_hindrances(schedule, given), "")
    if hindrance:
        in_turn = schedule.catch_up is CatchUp.ALL and bool(given.under_way)
        if held is not None and given.now - held.since >= deadline and not in_turn:
            return Judgement(Verdict.SKIP, f"{hindrance}, up to its startingDeadline")
        return Judgement(Verdict.HOLD, hindrance)
    replaces = bool(given.under_way) and schedule.concurrency is Concurrency.REPLACE
    return Judgement(Verdict.REPLACE if replaces else Verdict.START)


def _hindrances(schedule: Schedule, given: Circumstances) -> Iterator[str]:
    if given.under_way and schedule.concurrency is Concurrency.FORBID:
        yield f"run {given.under_way} was still under way"
    if given.hindrance:
        yield given.hindrance
    if given.gate is None:
        yield "its gate was not known"
    elif not given.gate:
        yield "its gate did not hold"
