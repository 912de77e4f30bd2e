"""Starts runs by time or on a condition: finds what is due, decides, remembers, then enqueues. Part of a watch.

A decision is remembered before it is carried out, and carrying it out twice is one run: a scheduler that dies in the
middle, or that works beside another one, does no harm. Deciding itself is pure and stands in `scheduling`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeAlias

from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.scheduling.book import ScheduleBook
from reconciler.loops.scheduling.plans import ONE, Planned, name_of_alert, planned
from reconciler.loops.scheduling.starting import Start, Starting
from reconciler.loops.scheduling.surroundings import Conditions, Surroundings
from reconciler.model.manifests import Manifests
from reconciler.model.scheduled import Decision, Occurrence, Outcome, Progress, Suspension
from reconciler.model.schedules import Concurrency, Schedule
from reconciler.planner.resolver import Locate
from reconciler.resources.values import replace
from reconciler.scheduling.agenda import Agenda
from reconciler.scheduling.conditions import Limits, fire
from reconciler.scheduling.deciding import Circumstances, Step, fired, step
from reconciler.scheduling.identity import offset, run_id
from reconciler.store import Store

TURN_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 8.0
"""Between two tries while Redis is away."""
LOOK_AGAIN = timedelta(seconds=5)
"""After which time runs that are held, and conditions, are looked at again."""
KEEP = timedelta(days=1)
"""How often the records of schedules that are seldom due are told to live on."""

Line: TypeAlias = tuple[str, str]
"""(schedule, host); the host is empty where it runs on one of several."""


class Scheduler:
    """Works for the manifests that it was shown last, while it leads.

    Args:
        conditions: what is known of metrics and alerts at the moment of asking.
        leads: whether this process controls the fleet.
        agents: the hosts whose own agent works on them.
    """

    def __init__(
        self,
        *,
        store: Store,
        starting: Starting,
        conditions: Callable[[Manifests], Conditions],
        leads: Callable[[], bool],
        agents: Callable[[], Container[str]],
        clock: Clock,
        log: Log,
    ) -> None:
        self._store = store
        self._starting = starting
        self._conditions = conditions
        self._leads = leads
        self._agents = agents
        self._clock = clock
        self._log = log
        self._said = SaidOnce()
        self._shown: tuple[Manifests, Locate] | None = None
        self._taken_in: Manifests | None = None
        self._plans: Mapping[str, Planned] = {}
        self._book = ScheduleBook(store)
        self._agenda: Agenda[Line] = Agenda()
        self._kept = clock.now()

    def show(self, manifests: Manifests, locate: Locate) -> None:
        """From now on, start what these manifests say."""
        self._shown = manifests, locate

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; errors are told once and survived, with longer and longer pauses."""
        pause = TURN_SECONDS
        while not stop.is_set():
            try:
                more = self.tick()
                pause = TURN_SECONDS
                self._said.over("turn")
                stop.wait(0 if more else pause)
            except ReconcilerError as error:
                self._said.say("turn", self._log.warning, "scheduler", error=str(error))
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def tick(self) -> bool:
        """Decide on what is due now and start it. True: something was started, so that more may be due at once.

        Raises:
            Unavailable: Redis cannot be reached. What was due stays due.
        """
        if not self._ready() or self._shown is None:
            return False
        now = self._clock.now()
        conditions = self._conditions(self._shown[0])
        fired = self._fired(conditions, now)
        lines = list(dict.fromkeys([*self._agenda.take(now), *fired]))
        return self._work(lines, now, conditions, fired)

    def _ready(self) -> bool:
        """Know the manifests and how far they have come; False where there is nothing to do here."""
        if self._shown is None or not self._leads():
            if self._taken_in is not None:
                self._forget()
            return False
        now = self._clock.now()
        if self._taken_in is not self._shown[0]:
            self._take_in(self._shown[0], now)
        if now - self._kept >= KEEP:
            self._book.keep()
            self._kept = now
        return True

    def _forget(self) -> None:
        """Somebody else may go on from here: what is known is to be read anew."""
        self._taken_in = None
        self._plans = {}
        self._book = ScheduleBook(self._store)
        self._agenda = Agenda()

    def _take_in(self, manifests: Manifests, now: datetime) -> None:
        plans = planned(manifests)
        gone = [plan for plan in self._plans.values() if plan != plans.get(plan.name)]
        for plan in gone:
            for line in self._book.state(plan.name).progress:
                self._agenda.put((plan.name, line), None)
        self._book.close(plan.name for plan in gone if plan.name not in plans)
        new = [plan for plan in plans.values() if plan != self._plans.get(plan.name)]
        self._book.open(new, now)
        while self._book.write():
            self._book.open(new, now)
        self._plans, self._taken_in = plans, manifests
        lines = [(plan.name, line) for plan in new for line in self._book.state(plan.name).progress]
        self._put(lines, again=now)

    def _fired(self, conditions: Conditions, now: datetime) -> Mapping[Line, datetime]:
        """Alerts that start a job and began to fire since one did last, with when they did.

        When that was, hosts say themselves: what they say of the future counts once it has come.
        """
        found: dict[Line, datetime] = {}
        for rule, host, at in conditions.episodes():
            line = name_of_alert(rule), host
            plan = self._plans.get(line[0])
            if plan is None or host not in plan.hosts:
                continue
            known = self._book.progress(*line) or self._book.progress(line[0], ONE)
            if known is not None and known.watermark < at <= now:
                found[line] = min(at, found.get(line, at))
                self._book.advance(*line, known)
        return found

    def _work(
        self, lines: Sequence[Line], now: datetime, conditions: Conditions, fired: Mapping[Line, datetime]
    ) -> bool:
        """Decide on each line, remember, carry out; whatever comes between, the lines are looked at again."""
        try:
            self._decide([line for line in lines if self._progress(line)], now, conditions, fired)
            lost = self._book.write()
            begun = self._begin([line for line in lines if line[0] not in lost], now)
            lost |= self._book.write()
        except BaseException:
            for line in lines:
                self._agenda.put(line, now)
            raise
        again = self._clock.now() + LOOK_AGAIN
        self._put([*lines, *((name, line) for name in lost for line in self._book.state(name).progress)], again)
        return begun

    def _decide(
        self, lines: Sequence[Line], now: datetime, conditions: Conditions, fired: Mapping[Line, datetime]
    ) -> None:
        if not lines or self._shown is None:
            return
        suspended = self._store.schedules.suspensions()
        around = Surroundings(self._store, self._shown[0], conditions, self._agents(), now)
        around.ask((self._plans[line[0]], line[1], progress) for line in lines if (progress := self._progress(line)))
        for line in lines:
            plan, progress = self._plans[line[0]], self._progress(line)
            if progress is not None and progress.starting is None:
                given = _circumstances(plan, line[1], progress, around, suspended.get(plan.name))
                self._note(plan, line[1], _step(plan, progress, given, fired.get(line)), around)

    def _note(self, plan: Planned, line: str, made: Step, around: Surroundings) -> None:
        progress = made.progress
        if made.starts and made.nominal is not None:
            host = line or around.best(plan, made.nominal)[0]
            run = run_id(plan.name, made.nominal, plan.schedule.params)
            progress = replace(progress, starting=Occurrence(made.nominal, host, run))
        self._book.advance(plan.name, line, progress)
        hosts = (line,) if line else ()
        for skipped in made.skipped:
            decision = Decision(skipped.first, skipped.last, around.now, Outcome.SKIPPED, skipped.reason, hosts=hosts)
            self._book.decided(plan.name, decision)

    def _begin(self, lines: Sequence[Line], now: datetime) -> bool:
        """Enqueue what was decided to start, now or by someone who did not come to it."""
        starts = [start for line in lines if (start := self._start(line))]
        if not starts or self._shown is None:
            return False
        for start, failure in self._starting.begin(starts, *self._shown):
            plan, run = start.plan, start.occurrence
            progress = self._book.progress(plan.name, start.line)
            if progress is not None:
                last = progress.last if failure else run
                self._book.advance(plan.name, start.line, replace(progress, starting=None, last=last))
            outcome = Outcome.FAILED if failure else Outcome.STARTED
            decision = Decision(run.nominal, run.nominal, now, outcome, failure, run.run, (run.host,))
            self._book.decided(plan.name, decision)
            told = {"schedule": plan.name, "host": run.host, "job": plan.schedule.job, "id": run.run}
            if failure:
                self._log.error("run-not-started", **told, error=failure)
            else:
                self._log.info("run-started", **told)
        return True

    def _start(self, line: Line) -> Start | None:
        progress = self._progress(line)
        if progress is None or progress.starting is None:
            return None
        plan = self._plans[line[0]]
        replaces = progress.last if plan.schedule.concurrency is Concurrency.REPLACE else None
        return Start(plan, line[1], progress.starting, replaces)

    def _progress(self, line: Line) -> Progress | None:
        name, host = line
        return self._book.progress(name, host) if name in self._plans else None

    def _put(self, lines: Iterable[Line], again: datetime) -> None:
        """Note when to look at lines next; `again` is when for those that are looked at all the time."""
        following = cache(self._following)  # hosts of a schedule mostly share it
        for name, host in lines:
            progress = self._progress((name, host))
            moment = None
            if progress is not None and (progress.starting or progress.held or self._plans[name].watched):
                moment = again
            elif progress is not None and (nominal := following(name, progress.watermark)):
                moment = nominal + offset(name, host, self._plans[name].schedule.jitter_seconds)
            self._agenda.put((name, host), moment)

    def _following(self, name: str, watermark: datetime) -> datetime | None:
        timing = self._plans[name].timing
        return timing.after(watermark) if timing else None


def _step(plan: Planned, progress: Progress, given: Circumstances, began: datetime | None) -> Step:
    """Decide by time or by the schedule's own condition, or, where an alert began to fire, by that."""
    trigger = plan.schedule.trigger
    if began is None or trigger is None:
        return step(plan.schedule, plan.timing, progress, given)
    edge = fire(progress, Limits(trigger.cooldown_seconds, trigger.max_per_hour), given.now)
    return fired(plan.schedule, edge, began, given)


def _circumstances(
    plan: Planned, line: str, progress: Progress, around: Surroundings, suspension: Suspension | None
) -> Circumstances:
    schedule = plan.schedule
    return Circumstances(
        now=around.now,
        offset=offset(plan.name, line, schedule.jitter_seconds),
        suspended=_suspended(schedule, suspension),
        under_way=around.under_way(progress.last),
        hindrance=around.hindrance(plan, line),
        gate=around.gate(plan, line),
        condition=around.condition(plan, line),
    )


def _suspended(schedule: Schedule, suspension: Suspension | None) -> str:
    if suspension is None:
        return "suspended in the manifests" if schedule.suspend else ""
    return f"suspended by {suspension.by}{': ' if suspension.reason else ''}{suspension.reason}"
