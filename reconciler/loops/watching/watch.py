"""The ops server's loop: follow a source, hold control, plan and commit what changed, converge, heal drift.

The controller's turn (plan, commit, release), the executor's work, the monitor and the notifier run in threads of their
own, so that a slow host never keeps a new commit from being planned. They share the store and the last situation.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from reconciler.clock import Clock
from reconciler.errors import HostFailed, InvalidInput, Problem, ReconcilerError, Refused, Unavailable
from reconciler.loops.controlling.control import RENEW_SECONDS, Control
from reconciler.loops.controlling.controller import Controller
from reconciler.loops.controlling.given import POLL_SECONDS, Given
from reconciler.loops.controlling.one_shot import actionable
from reconciler.loops.controlling.planning import Pair, Planning, Situation
from reconciler.loops.controlling.requests import Requests
from reconciler.loops.converging.executor import Executor
from reconciler.loops.keeper import Keeper
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.measuring.fleet_measuring import Measured
from reconciler.loops.monitoring.monitor import Monitor
from reconciler.loops.monitoring.notifying import Notifying
from reconciler.loops.running.run_crew import RunCrew, Told
from reconciler.loops.scheduling.scheduler import Scheduler
from reconciler.loops.watching.beginning import SWEEP_SECONDS, TURN_SECONDS, tree_in_force
from reconciler.loops.watching.following import Source
from reconciler.loops.watching.mistakes import Mistakes
from reconciler.loops.watching.releases import Releases
from reconciler.loops.watching.worker import Worker
from reconciler.model.monitoring import DELETES_HELD, REDIS_MEMORY_SHORT, SOURCE_INVALID, SOURCE_STALE
from reconciler.model.observed import AppStatus
from reconciler.model.tree import Tree
from reconciler.model.work import Lease
from reconciler.planner.guard import hold_excessive
from reconciler.planner.on_trial import second_try_at
from reconciler.planner.scope import WHOLE_FLEET
from reconciler.resources.values import replace
from reconciler.store import FULL_SHARE, FleetState, Store

STOP_SECONDS = 4.0
"""How long a stop waits for each thread; a resource that takes longer is left to the next executor."""
OVERDUE_SECONDS = 2 * SWEEP_SECONDS
"""How long changes, one after the other, can put that off."""
RETRY_FAILED = timedelta(seconds=60)
"""How long an app that failed is left alone before the same digest is tried again."""
_TURN = "turn"
"""The subject of what keeps a turn from being taken."""


class Watch:
    """Follows a source until it is told to stop.

    Args:
        hosts: the hosts that this process works on, as they are now.
        given: what agents do.
        runs: makes what carries out runs of jobs.
        monitor: looks after alerts while control is ours.
        measuring: samples hosts beside all this.
        notifying: sends what the monitor wants told.
        scheduler: makes what starts runs by time or on a condition, given what says whether this watch has control.
    """

    def __init__(
        self,
        *,
        source: Source,
        planning: Planning,
        controller: Controller,
        executor: Executor,
        control: Control,
        store: Store,
        hosts: Callable[[], tuple[str, ...]],
        given: Given,
        runs: Callable[[Told], RunCrew],
        monitor: Monitor,
        measuring: Measured,
        notifying: Notifying,
        scheduler: Callable[[Callable[[], bool]], Scheduler],
        clock: Clock,
        log: Log,
    ) -> None:
        self._given = given
        self._monitor = monitor
        self._measuring = measuring
        self._notifying = notifying
        self._source = source
        self._planning = planning
        self._controller = controller
        self._control = control
        self._store = store
        self._clock = clock
        self._log = log
        self._worker = Worker(executor, store, hosts, clock, log, settled=self._settle, runs=runs)
        self._scheduler = scheduler(lambda: control.leads)
        self._requests = Requests(store, log, wake=source.wake)
        self._situation: Situation | None = None
        self._mistakes = Mistakes(lambda wrong: monitor.note(SOURCE_INVALID, wrong, wrong=bool(wrong)), log)
        self._on_newest = False
        """Whether this turn plans the newest tree, and not the one that the fleet follows instead."""
        self._began = 0.0
        """When this turn did."""
        self._swept = float("-inf")
        self._said = SaidOnce()
        self._term = 0
        self._interruptions = 0
        self._releases = Releases()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set and the source woken. What is then under way is taken up by the next executor."""
        loops = {
            "executor": self._worker.run,
            "requests": self._requests.run,
            "collector": self._measuring.run,
            "monitor": self._monitor.run,
            "notifier": self._notifying.run,
            "scheduler": self._scheduler.run,
        }
        threads = [threading.Thread(target=loop, args=(stop,), name=name, daemon=True) for name, loop in loops.items()]
        for thread in threads:
            thread.start()
        try:
            with Keeper(self._control.renew, RENEW_SECONDS):
                changed = True
                while not stop.is_set():
                    self._turn_safely(changed=changed)
                    gc.collect(1)  # all but what has been there for long
                    self._tell_what_is_odd()
                    changed = self._source.wait(POLL_SECONDS if self._given.open else TURN_SECONDS)
                    if not all(thread.is_alive() for thread in threads) and not stop.is_set():
                        raise HostFailed.of("thread-ended", "a thread of the watch ended; its error stands above")
        finally:
            for thread in threads:
                thread.join(STOP_SECONDS)
            self._control.release()

    def _turn_safely(self, *, changed: bool) -> None:
        """A turn whose errors end nothing: they are told once, the last good state stays in force."""
        try:
            self._turn(changed=changed)
        except Unavailable as error:
            self._said.say(_TURN, self._log.warning, "unavailable", error=str(error))
        except ReconcilerError as error:
            self._tell_why_not(error, self._situation.desired.revision if self._situation else "")

    def _tell_why_not(self, error: ReconcilerError, in_force: str) -> None:
        """The newest tree is not followed; people, the monitor and whoever waits for it hear why."""
        told = "\n".join(map(str, map(self._in_a_watch, error.problems)))
        if isinstance(error, Refused):
            follows = {"in_force": in_force} if in_force else {}
            self._said.say(_TURN, self._log.error, "refused", error=told, **follows)
        else:
            self._mistakes.found(told, in_force)
        self._requests.refuse(str(error))

    def _in_a_watch(self, problem: Problem) -> Problem:
        """Manifests that were there a moment ago are to come back; nobody starts anew."""
        vanished = problem.code == "no-manifests" and self._situation is not None
        return replace(problem, hint="Bring them back; the hosts stay as they are") if vanished else problem

    def _turn(self, *, changed: bool) -> None:
        lease = self._control.hold()
        if lease is None:
            self._stand_by()
            return
        if lease.term != self._term:
            self._take_control(lease)
            changed = True
        elif self._store.interruptions != self._interruptions:
            self._start_anew()
            changed = True
        self._hear_from_agents()
        self._note_source()
        asked = self._requests.waiting()
        self._began = self._clock.monotonic()
        sweeps = bool(asked) or self._began - self._swept >= (OVERDUE_SECONDS if changed else SWEEP_SECONDS)
        if not (changed or sweeps):
            return
        if sweeps:  # it reads everything anew; a saved file is planned on what is known
            self._planning.forget()
            self._swept = self._began
        situation = self._hold_deletes(self._planned())
        committed = self._controller.commit(situation, lease.term)
        self._follow(situation, lease.holder, committed.written)
        self._monitor.lead(situation.manifests, lease.term)
        self._notifying.lead(situation.manifests, self._source.age_seconds)
        untried = [pair for pair in self._untried(situation) if pair[0] not in committed.refused]
        release = self._controller.release(situation, situation.observed, untried, lease.term)
        self._tell_refused({**committed.refused, **release.refused})
        released = release.pairs
        self._given.give(released)
        self._releases.released([(pair, _digest(situation, pair)) for pair in released], self._began)
        self._worker.show(situation)
        self._measuring.show(situation)
        share = self._measuring.memory_share
        self._monitor.note(REDIS_MEMORY_SHORT, share, wrong=share >= FULL_SHARE)
        self._scheduler.show(situation.manifests, self._planning.locating(situation.tree))
        idle = not (released or self._worker.busy or self._given.open)
        self._requests.settle(situation, asked, idle=idle, failed=self._worker.failed)

    def _stand_by(self) -> None:
        """Someone else controls the fleet; the source is followed, since it may be out of reach once it is our turn."""
        self._monitor.stand_by()
        self._notifying.stand_by()
        self._measuring.rest()
        with suppress(ReconcilerError):
            self._source.refresh()
        self._said.say(_TURN, self._log.info, "standby", reason="another controller holds control")

    def _hear_from_agents(self) -> None:
        """Release what waited for agents; one that is silent keeps its work, and nobody waiting for it."""
        if not self._given.open:
            return
        done = self._given.settled()
        if done:
            self._settle(done)
        self._given.drop(self._given.silent())

    def _planned(self) -> Situation:
        """The newest tree, planned; while that has mistakes, the one in force, where that is another one."""
        newest = self._newest()
        self._on_newest = False
        try:
            situation = self._planning.plan(newest, WHOLE_FLEET, texts=False)
        except InvalidInput as error:
            return self._in_force(newest, error)
        self._on_newest = True
        return situation

    def _in_force(self, newest: Tree, mistakes: InvalidInput) -> Situation:
        """What the fleet follows, planned: what this watch planned last, unless others have been in control since."""
        state, last = self._store.fleet.current(), self._situation
        ours = last if last and (state is None or state.revision == last.desired.revision) else None
        followed = ours.tree if ours else tree_in_force(self._source, state)
        if followed is None or followed.content == newest.content:
            raise mistakes
        self._tell_why_not(mistakes, str(followed.revision))
        if ours:
            return self._planning.again(ours, texts=False)
        return self._planning.plan(followed, WHOLE_FLEET, texts=False)

    def _newest(self) -> Tree:
        """The newest tree.

        Raises:
            Unavailable: the source is out of reach, and whoever was in control may have seen more of it.
        """
        tree = self._source.tree()
        if self._source.age_seconds:
            known = self._store.fleet.current()
            if known.revision != str(tree.revision) if known else self._situation is None:
                follows = known.revision if known else "what nobody remembers"
                message = (
                    f"git is out of reach, and the fleet follows {follows}; what was fetched here is {tree.revision}"
                )
                raise Unavailable.of("source-behind", message, hint="The hosts stay as they are until git is back")
        return tree

    def _note_source(self) -> None:
        """Whether git is in reach; where it is not, nothing but this says that commits are missed."""
        if self._situation is not None:
            age, limit = self._source.age_seconds, self._situation.manifests.fleet.stale_source_seconds
            self._monitor.note(SOURCE_STALE, age, wrong=age > limit)

    def _take_control(self, lease: Lease) -> None:
        """Control is ours, perhaps again: what others did meanwhile is not known."""
        self._log.info("in-control", holder=lease.holder, again=bool(self._term))
        self._term = lease.term
        self._source.doubt()
        self._start_anew()

    def _start_anew(self) -> None:
        """Believe nothing of what stood in Redis, not even what was written: a failover may have lost it."""
        self._interruptions = self._store.interruptions
        self._controller.forget()
        self._planning.forget()

    def _hold_deletes(self, situation: Situation) -> Situation:
        """Hold the apps that delete more than the guard and the commit's trailer allow; the others go on."""
        allowed = (situation.tree.revision.trailers or {}).get("Reconcile-Allow-Deletes", "")
        limit = int(allowed) if allowed.isdigit() else None
        plan, problems = hold_excessive(situation.plan, situation.manifests.fleet.guard, limit)
        self._monitor.note(DELETES_HELD, len(problems), wrong=bool(problems))
        if problems:
            told = "; ".join(problem.message for problem in problems)
            hint = "commit with the trailer Reconcile-Allow-Deletes: N"
            self._said.say("held", self._log.error, "held", error=told, hint=hint)
        else:
            self._said.over("held")
        return replace(situation, plan=plan)

    def _follow(self, situation: Situation, holder: str, written: int) -> None:
        counts = {action.value: number for action, number in situation.plan.counts.items() if number}
        revision = situation.desired.revision
        if written or not self._situation:
            self._log.info("planned", revision=revision, hosts=len(situation.plan.hosts), statements=written, **counts)
        self._said.over(_TURN)
        if self._on_newest:
            self._mistakes.none(revision)
        self._situation = situation
        branch = situation.tree.revision.branch
        self._store.fleet.set_current(FleetState(revision, branch, holder, at=self._clock.now()))

    def _tell_refused(self, refused: Mapping[str, Problem]) -> None:
        if refused:
            told = "; ".join(map(str, refused.values()))
            self._said.say("refused", self._log.error, "refused", error=told)
        else:
            self._said.over("refused")

    def _untried(self, situation: Situation) -> list[Pair]:
        """What is due, less what was released a moment ago, or failed then and would fail again."""
        now = self._clock.now()
        pairs = [pair for pair in actionable(situation) if not _failed_lately(situation, pair, now)]
        return self._releases.due([(pair, _digest(situation, pair)) for pair in pairs], self._began)

    def _settle(self, pairs: Collection[Pair]) -> None:
        """The executor is done with these: if they are due again, they are released again."""
        self._releases.settled(pairs, self._clock.monotonic())
        self._planning.changed({host for host, _ in pairs})
        if self._requests.waiting():
            self._show_progress(pairs)
        self._source.wake()

    def _show_progress(self, pairs: Collection[Pair]) -> None:
        """Tell those who asked for it how these ended; what Redis does not tell of now, their recap will."""
        with suppress(Unavailable):
            observed = self._store.observed.read({host for host, _ in pairs})
            for host, app in sorted(pairs):
                known = observed[host].apps.get(app) if host in observed else None
                self._requests.progress(f"{host}: {app} {known.status.value if known else 'removed'}")

    def _tell_what_is_odd(self) -> None:
        for problem in self._store.untold():
            self._log.warning("store", problem=str(problem))


def _digest(situation: Situation, pair: Pair) -> str:
    """What is wanted for the pair; empty for an app that leaves its host."""
    host, app = pair
    wanted = situation.desired.hosts[host].get(app)
    return wanted.digest if wanted else ""


def _failed_lately(situation: Situation, pair: Pair, now: datetime) -> bool:
    host, app = pair
    known = situation.observed.get(host)
    found = known.apps.get(app) if known else None
    wanted = situation.desired.hosts[host].get(app)
    if found is None or wanted is None or found.digest != wanted.digest or found.finished_at is None:
        return False
    if found.status is AppStatus.UNCONFIRMED:
        return now < second_try_at(host, app, wanted.digest, found.finished_at)
    return found.status is not AppStatus.CONVERGED and now - found.finished_at < RETRY_FAILED
