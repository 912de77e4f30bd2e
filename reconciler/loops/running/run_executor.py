"""Carries out one claimed run: verify, render, do it on the host, record what came of it.

Called by `run_crew` in a thread for each run, whatever the host's transport. It decides nothing about what is to be
done: that is what an operator signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, Protocol

from reconciler.clock import Clock, milliseconds
from reconciler.errors import (
    NOWHERE,
    InvalidInput,
    Place,
    Problem,
    ReconcilerError,
    Refused,
    Unavailable,
    mistake_of_ours,
)
from reconciler.loops.hosts.host_view import as_wanted, named_secrets
from reconciler.loops.keeper import LEASE_SECONDS, Keeper
from reconciler.loops.running.live_run import BEAT_SECONDS, LiveRun
from reconciler.model.desired import Bundle
from reconciler.model.run import AD_HOC, JobPolicy, Run, SignedRun
from reconciler.model.work import Claim, Lane, Lease, WorkState
from reconciler.rendering import Renderer
from reconciler.resources.applying.following import CANCELLED, LOST
from reconciler.resources.protocol import (
    OutputEvent,
    RebootEvent,
    ResourceEvent,
    RunEvent,
    RunFinished,
    RunRequest,
)
from reconciler.resources.records.run_record import REBOOTING
from reconciler.resources.values import asdict, dataclass, replace
from reconciler.store import Store, host_lease
from reconciler.transport import Transport
from reconciler.trust import Masker, TrustedKeys, verify_run

_BUSY = timedelta(seconds=5)
_BACK = timedelta(seconds=10)
"""After this long a host that restarts is tried for the first time."""
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 600.0
_LANE_SECONDS = 0.5
_FORGET_AFTER_SECONDS = 86_400.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 5.0, 600.0


RESTARTING = "the host restarts"
NOT_BACK = "the host did not come back in time after its restart"
_STATES = {"succeeded": WorkState.SUCCEEDED, CANCELLED: WorkState.CANCELLED}


class RunSecrets(Protocol):
    """Where the clear values of secrets come from."""

    def of_run(self, host: str, paths: Sequence[str], sealed: bytes) -> Mapping[str, str]:
        """Path -> clear text.

        Raises:
            InvalidInput, Refused: a secret is not found.
        """
        ...


class HostGone(Exception):
    """The host cannot be reached, or was lost after the run had `begun` there."""

    def __init__(self, problem: Problem, *, begun: bool) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt ended, and whether there may be another one."""

    finished: RunFinished
    pause_seconds: float | None = None
    """How long until it is tried again; None: it is not."""
    begun: bool = False
    """It may have begun on the host, and may still run there."""


@dataclass(frozen=True, slots=True)
class RunExecutor:
    """Works on the hosts within its reach.

    Args:
        reach: opens a host; raises Unavailable.
        renderer: the renderer of a bundle, kept between calls.
        trusted: gives the keys whose runs count here.
        holder: the name under which it takes leases.
        chance: a number from 0 to 1, for the pauses before retries.
        lease_seconds: how long a run stays ours without a renewal.
    """

    fleet: str
    store: Store
    reach: Callable[[str], Transport]
    renderer: Callable[[Bundle], Renderer]
    secrets: RunSecrets
    masker: Masker
    trusted: Callable[[], TrustedKeys]
    holder: str
    clock: Clock
    chance: Callable[[], float]
    lease_seconds: float = LEASE_SECONDS

    def perform(self, live: LiveRun) -> RunFinished:
        """Do it and record how it ended; a mistake of this program ends only this run."""
        began = self.clock.monotonic()
        with Keeper(live.beat, BEAT_SECONDS):
            try:
                ended = self._perform(live)
            except Unavailable as error:  # of Redis: the lease runs out, and the host knows how far it came
                ended = Ended(RunFinished(LOST, error=str(error)), begun=True)
            except (Refused, InvalidInput) as error:
                ended = self._not_done(live, error)
            except Exception as error:  # noqa: BLE001 - told, and the other runs go on
                ended = Ended(_failed(mistake_of_ours(error, Place(host=live.claim.work.host))))
        self._record_patiently(live, ended, self.clock.monotonic() - began)
        return ended.finished

    def _perform(self, live: LiveRun) -> Ended:
        work = live.claim.work
        signed = SignedRun.of_args(work.args)
        run = verify_run(signed, self.trusted(), fleet=self.fleet, host=work.host, run_id=work.id)
        bundle, policy = self._content(run)
        with self._lane(live, policy) as token:
            if live.why:  # what had begun before is to be ended by whoever is given it next
                return Ended(RunFinished(LOST if work.started_at else live.why))
            if not (work.state.finished or self.store.work.start(live.claim)):
                return Ended(RunFinished(LOST))
            attempt = _Attempt(self, live, run, bundle, policy, signed.sealed, token)
            try:
                finished = attempt.perform()
            except HostGone as gone:
                return self._out_of_reach(attempt, gone)
        if finished.status == REBOOTING and not live.settled:
            return self._out_of_reach(attempt, None)
        again = finished.status == "failed" and 0 < finished.tries <= policy.retries
        pause = pause_seconds(finished.tries, self.chance()) if again else None
        return Ended(finished, pause, begun=finished.status == LOST)

    def _out_of_reach(self, attempt: _Attempt, gone: HostGone | None) -> Ended:
        """The host restarts as the run asked it to, or it cannot be reached, or was lost on the way."""
        live, work = attempt.live, attempt.live.claim.work
        known = self.store.work.get(work.host, work.id)
        result = known.result if known else {}
        now, until = self.clock.now().timestamp(), float(result.get("until", 0.0))
        begun = work.started_at is not None or (gone is not None and gone.begun)
        if known is None or known.state.finished:
            live.settled = begun  # as long as it may run there, nobody says that it does not: its lease runs out
            return Ended(RunFinished(CANCELLED))
        if now < until and not (gone and gone.begun):
            self.put_off(live.claim, {"reason": RESTARTING, "until": until}, _BUSY)
            live.settled = True
            return Ended(RunFinished(REBOOTING))
        if until or gone is None:
            told = Problem(NOWHERE, NOT_BACK, "Look at its console.")
            return Ended(_failed(replace(told, code="reboot-timeout")))
        tries = int(result.get("tries", 0))
        waits = attempt.policy.waits_until(attempt.run.not_after / 1000, begun=begun or tries > 0) - now
        pause = min(waits, pause_seconds(work.attempt, self.chance())) if waits > 0 else None
        return Ended(replace(_failed(gone.problem), tries=tries), pause, begun)

    def _content(self, run: Run) -> tuple[Bundle, JobPolicy]:
        """What was signed.

        Raises:
            Refused: it is not in Redis, or is no job.
        """
        found = self.store.desired.bundles([run.bundle]).get(run.bundle)
        if found is None:
            message, hint = f"run {run.id}: its steps are no longer in Redis", "Ask anew: reconcile run"
            raise Refused.of("content-missing", message, place=Place(host=run.host), hint=hint)
        try:
            return found, JobPolicy.from_json(found.content["policy"])
        except (KeyError, ValueError, TypeError):
            message = f"run {run.id} is not of a job"
            raise Refused.of("malformed-run", message, place=Place(host=run.host)) from None

    @contextmanager
    def _lane(self, live: LiveRun, policy: JobPolicy) -> Iterator[int]:
        """The right to work on the host, where the run changes resources; gives the token that the host compares."""
        if policy.lane is Lane.SIDE:
            yield live.claim.token
            return
        host = live.claim.work.host
        lease = self._lease(host)
        while lease is None and not live.why:
            self.clock.sleep(_LANE_SECONDS)
            lease = self._lease(host)
        live.lease = lease
        try:
            yield lease.term if lease else live.claim.token
        finally:
            live.lease = None
            if lease:
                self.store.leases.release(lease)

    def _lease(self, host: str) -> Lease | None:
        return self.store.leases.acquire(host_lease(host), self.holder, self.lease_seconds)

    def _not_done(self, live: LiveRun, error: ReconcilerError) -> Ended:
        """What was refused, or could not be rendered."""
        work = live.claim.work
        if isinstance(error, Refused):
            self.store.journal.append("refused", host=work.host, run=work.id, reason=str(error))
        text = "\n".join(problem.message for problem in error.problems)
        return Ended(replace(_failed(error.problems[0]), error=text))

    def _record_patiently(self, live: LiveRun, ended: Ended, seconds: float) -> None:
        """Record it once Redis is there; after that long the host's own record has to tell."""
        deadline = self.clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._record(live, ended, seconds)
            except Unavailable:
                if self.clock.monotonic() >= deadline:
                    return
                self.clock.sleep(_POLL_SECONDS)
            else:
                return

    def _record(self, live: LiveRun, ended: Ended, seconds: float) -> None:
        """Write how it ended, or when it is tried again; of an executor that lost it, nothing is taken."""
        if live.settled:
            return
        live.flush()
        claim, finished, mask = live.claim, ended.finished, self.masker.mask
        live.recorded = claim
        told = replace(finished, error=mask(finished.error), hint=mask(finished.hint))
        result = {**asdict(told), "seconds": round(seconds, 3)}
        begun = ended.begun or (claim.work.started_at is not None and not finished.tries)
        if finished.repeated:
            self.store.journal.append("not-repeated", host=claim.work.host, run=claim.work.id, status=finished.status)
        if LOST in (finished.status, live.why):
            self.store.work.let_go(claim, {"reason": "its executor let go of it"}, begun=begun)
        elif finished.code == "host-busy":
            self.store.work.let_go(claim, result, begun=begun, seconds=_BUSY.total_seconds())
        elif ended.pause_seconds is not None:
            self.put_off(claim, result, timedelta(seconds=ended.pause_seconds), begun=begun)
        else:
            state = _STATES.get(finished.status, WorkState.FAILED)
            self.store.work.finish(claim, state, result)

    def put_off(self, claim: Claim, result: Mapping[str, Any], after: timedelta, *, begun: bool = False) -> None:
        """Let it wait; the lane is free meanwhile. One that has `begun` may still run there."""
        self.store.work.finish(claim, WorkState.RETRYING, result, retry_at=self.clock.now() + after, begun=begun)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run on its host, understood."""

    executor: RunExecutor
    live: LiveRun
    run: Run
    bundle: Bundle
    policy: JobPolicy
    sealed: bytes
    token: int

    def perform(self) -> RunFinished:
        """Do it.

        Raises:
            HostGone: the host cannot be reached, or was lost on the way.
            InvalidInput: it cannot be rendered.
        """
        begun = False
        ended: list[RunFinished] = []

        def tell(event: RunEvent) -> None:
            if isinstance(event, RunFinished):
                ended.append(event)
            self._told(event)

        try:
            with closing(self.executor.reach(self.run.host)) as transport:
                request = self._request(transport)
                begun = True
                self.live.through(transport)
                if self.live.why == LOST:
                    return RunFinished(LOST)
                try:
                    transport.perform(request, tell)
                finally:
                    self.live.through(None)
        except Unavailable as error:
            if self.live.settled:
                return RunFinished(REBOOTING)
            raise HostGone(error.problems[0], begun=begun) from error
        return ended[-1]

    def _told(self, event: RunEvent) -> None:
        mask = self.executor.masker.mask
        if isinstance(event, OutputEvent):
            self.live.say(mask(event.text))
        elif isinstance(event, ResourceEvent) and self.run.job != AD_HOC:
            error = f": {event.error}" if event.error else ""
            self.live.say(mask(f"-- {event.name}: {event.action}{error}\n"))
        elif isinstance(event, RebootEvent):
            self._restarts(event)
        elif isinstance(event, RunFinished) and event.left:
            what = "a process" if event.left == 1 else f"{event.left} processes"
            self.live.say(f"-- ended {what} that it left behind\n")

    def _restarts(self, event: RebootEvent) -> None:
        """Put the run off before the host goes down, and perhaps we with it; whoever is there then goes on with it."""
        self.live.say("-- the host restarts\n")
        until = self.executor.clock.now().timestamp() + event.timeout_seconds
        try:
            self.live.flush()
            self.executor.put_off(self.live.claim, {"reason": RESTARTING, "until": until}, _BACK)
        except Unavailable:
            return  # the lease runs out, and it is delivered again
        self.live.settled = True

    def _request(self, transport: Transport) -> RunRequest:
        """What the host is asked to do.

        Raises:
            InvalidInput: a secret is not found, or the steps cannot be rendered.
        """
        run, policy, executor = self.run, self.policy, self.executor
        values = json.loads(run.values)
        if values.get("facts", values) is None:  # nothing was known of the host when the run was asked for
            values["facts"] = transport.facts()
        secrets = executor.secrets.of_run(run.host, named_secrets(self.bundle, values), self.sealed)
        rendered = executor.renderer(self.bundle).render(values, secrets, host=run.host)
        return RunRequest(
            fleet=run.fleet,
            host=run.host,
            id=run.id,
            issue=run.issue,
            job=run.job,
            steps=tuple(map(as_wanted, rendered.resources)),
            token=self.token,
            user="" if policy.user == "root" else policy.user,
            timeout_seconds=policy.timeout_seconds,
            begin_seconds=self.live.held_seconds,
            retries=policy.retries,
            on_lost=policy.on_lost,
            exclusive=policy.lane is Lane.MAIN,
            late=milliseconds(executor.clock.now()) > run.not_after,
            withdrawn=self.live.claim.work.state.finished or self.live.why == CANCELLED,
            forget_at=run.not_after / 1000 + _FORGET_AFTER_SECONDS,
            secrets=tuple(secrets.values()),
        )


def pause_seconds(tries: int, chance: float) -> float:
    """How long to wait after so many tries: exponential with full jitter, from 5 s to 10 min.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = min(_LONGEST_SECONDS, _SHORTEST_SECONDS * 2.0 ** min(tries, 20))
    return _SHORTEST_SECONDS + chance * (longest - _SHORTEST_SECONDS)


def _failed(problem: Problem) -> RunFinished:
    return RunFinished("failed", error=problem.message, hint=problem.hint, code=problem.code)
