"""Runs that are under way in this process, each in a thread of its own: claimed as soon as they are due.

Used by the worker of a watch, by an agent, and by commands that carry out runs themselves. So a long run holds up
neither another host nor, unless it changes resources, anything else on its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from reconciler.clock import Clock, ulid
from reconciler.loops.running.live_run import LiveRun
from reconciler.loops.running.run_executor import RunExecutor
from reconciler.model.work import RUN, Claim, Lane
from reconciler.resources.applying.following import CANCELLED, LOST
from reconciler.resources.protocol import RunFinished
from reconciler.store import Store

AT_ONCE = 256
"""Runs at the same time; each takes a thread here and, over SSH, a connection. No more are claimed: what is claimed and
does not begin is only kept from others, and counts as lost if we die.
"""
_AT_ONCE_A_HOST = 16
_STOP_SECONDS = 4.0
"""How long stopping waits for programs to end; those that do not are ended by whoever takes the run up."""

Told = Callable[[Claim, RunFinished], None]


class RunCrew:
    """Claims runs and performs them.

    Args:
        told: hears how each ended, in its thread.
        grant: lets runs go on whose turn with a named lock has come.
    """

    def __init__(
        self, executor: RunExecutor, store: Store, clock: Clock, told: Told, grant: Callable[[], None]
    ) -> None:
        self._grant = grant
        self._executor = executor
        self._store = store
        self._clock = clock
        self._told = told
        self._lock = threading.Lock()
        self._live: dict[tuple[str, str], LiveRun] = {}
        self._threads: set[threading.Thread] = set()
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether any run is under way."""
        return bool(self._live)

    def start(self, hosts: Sequence[str]) -> Sequence[str]:
        """Begin the runs of these hosts that are due, as far as there is room; the hosts to ask again once there is.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        self._grant()
        if self._over:
            return ()
        return hosts[min(self._start(hosts, lane) for lane in Lane) :]

    def _start(self, hosts: Sequence[str], lane: Lane) -> int:
        """Begin what is due in one lane; how many of the hosts there was room to ask."""
        asked = hosts[: max(0, AT_ONCE - len(self._live))]
        asked_at = self._clock.monotonic()
        for claim in self._claims(asked, lane) if asked else ():
            self._begin(claim, asked_at)
        return len(asked)

    def close(self) -> None:
        """Let go of all runs: their programs are ended, and whoever takes them up goes by the job's `onLost`."""
        with self._lock:
            self._over = True
            live, threads = list(self._live.values()), list(self._threads)
        for run in live:
            run.stop(LOST)
        deadline = self._clock.monotonic() + _STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))

    def _claims(self, hosts: Sequence[str], lane: Lane) -> Sequence[Claim]:
        room = (AT_ONCE - len(self._live)) // len(hosts)
        limit = 1 if lane is Lane.MAIN else min(_AT_ONCE_A_HOST, room)
        return self._store.work.claim_many(
            hosts,
            holder=self._executor.holder,
            nonce=ulid(self._clock.now()),
            limit=limit,
            lease_seconds=self._executor.lease_seconds,
            lane=lane,
            kind=RUN,
        )

    def _begin(self, claim: Claim, asked_at: float) -> None:
        key = (claim.work.host, claim.work.id)
        with self._lock:
            known = self._live.get(key)
            if known is not None:  # its lease had run out, but it is still ours to go on with
                known.claim, known.asked_at = claim, asked_at
                if claim.work.state.finished:
                    known.stop(CANCELLED)
                return
            live = self._live[key] = LiveRun(claim, self._store, self._clock, self._executor.lease_seconds, asked_at)
            thread = threading.Thread(target=self._perform, args=(key, live), name=f"run-{claim.work.id}", daemon=True)
            self._threads.add(thread)
        thread.start()

    def _perform(self, key: tuple[str, str], live: LiveRun) -> None:
        try:
            finished = self._executor.perform(live)
            self._told(live.claim, finished)
        finally:
            with self._lock:
                self._live.pop(key, None)
                self._threads.discard(threading.current_thread())
        if live.recorded is not live.claim and not self._over:
            self._begin(live.claim, live.asked_at)
