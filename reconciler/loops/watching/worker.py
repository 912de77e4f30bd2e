"""The executor's thread of a watch: converges hosts that have work, and looks for drift when its time has come.

Hosts of this machine are worked on in this thread, hosts across the network by the executor's crew, so that one of them
that is slow or gone holds up no other.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain

from reconciler.clock import Clock
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.loops.controlling.planning import Pair, Situation
from reconciler.loops.converging.drift_look import look_for_drift
from reconciler.loops.converging.drift_timer import DriftTimer
from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome_log import log_outcome, log_run
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.running.run_crew import RunCrew, Told
from reconciler.model.manifests import DriftPolicy
from reconciler.model.work import Claim
from reconciler.resources.protocol import RunFinished
from reconciler.store import Store

SWEEP_SECONDS = 10.0
"""How often hosts are asked for work without a hint that there is any; new ones are asked at once."""
HINT_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 8.0
"""Between two tries while Redis is away; short enough to be back soon after it is."""


class Worker:
    """Works on the hosts within reach until it is told to stop.

    Args:
        hosts: the hosts within reach now.
        settled: told which (host, app) pairs were worked on, so that what waited for them can be released.
        runs: makes what carries out runs of jobs, given what hears how they ended.
    """

    def __init__(
        self,
        executor: Executor,
        store: Store,
        hosts: Callable[[], tuple[str, ...]],
        clock: Clock,
        log: Log,
        *,
        settled: Callable[[Collection[Pair]], None],
        runs: Callable[[Told], RunCrew],
    ) -> None:
        self._runs = runs(self._tell_run)
        self._worked: deque[str] = deque()
        """Hosts on which something ended, so that what waited behind it may begin."""
        self._unasked: Sequence[str] = ()
        """Hosts whose runs there was no room for; they come first in the next turn."""
        self._executor = executor
        self._store = store
        self._hosts = hosts
        self._clock = clock
        self._log = log
        self._settled = settled
        self._timer = DriftTimer()
        self._situation: Situation | None = None
        self._swept = float("-inf")
        self._asked: tuple[str, ...] = ()
        """The hosts that the last sweep asked; of others a hint may have come too early."""
        self._telling = threading.Lock()
        self._near = False
        """Whether work on a host of this machine is under way."""
        self._again: set[str] = set()
        """Hosts that were given work while they had other work."""
        self._unlooked: dict[str, set[str]] = {}
        """Host -> apps whose time to be looked at has come."""
        self._failing: set[str] = set()
        self._said = SaidOnce()

    @property
    def failed(self) -> bool:
        """Whether the last work on any host did not end well."""
        return bool(self._failing)

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._near or self._executor.crew.busy

    def show(self, situation: Situation) -> None:
        """From now on, look after what this situation says."""
        self._situation = situation

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; errors are told once and survived, with longer and longer pauses."""
        pause = HINT_SECONDS
        while not stop.is_set():
            try:
                self._turn()
                pause = HINT_SECONDS
                self._said.over("turn")
            except ReconcilerError as error:
                self._said.say("turn", self._log.warning, "executor", error=str(error))
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._runs.close()

    def _turn(self) -> None:
        ready = self._hints()
        hosts = self._hosts()
        hinted = [host for host in ready if host in hosts]
        now = self._clock.monotonic()
        if hosts != self._asked or now - self._swept >= SWEEP_SECONDS:
            self._swept, self._asked, hinted = now, hosts, list(hosts)
            self._executor.report(host for host in hosts if not self._executor.crew.remote(host))
        due = [host for host in self._unasked if host in hosts], sorted({*hinted, *self._just_worked(hosts)})
        self._unasked = self._runs.start(tuple(dict.fromkeys(chain(*due))))
        waited, self._again = self._again, set()
        self._converge([*hinted, *sorted(waited.intersection(hosts).difference(hinted))])
        self._look_for_drift()  # after healing, which a host that is looked at often would never be free for

    def _hints(self) -> Sequence[str]:
        """Hosts that were given work; none where that cannot be read, for the sweep finds them too."""
        try:
            hosts = self._store.work.ready(wait_seconds=HINT_SECONDS)
        except InvalidInput as error:
            self._said.say("hints", self._log.warning, "executor", error=str(error))
            self._clock.sleep(HINT_SECONDS)
            return ()
        self._said.over("hints")
        return hosts

    def _just_worked(self, hosts: Collection[str]) -> Iterator[str]:
        while self._worked:
            host = self._worked.popleft()
            if host in hosts:
                yield host

    def _converge(self, hosts: Iterable[str]) -> None:
        for host in hosts:
            if not self._begin(host, self._work_on):
                self._again.add(host)

    def _begin(self, host: str, work: Callable[[str], None]) -> bool:
        """Work on a host, here or in a thread of the crew; False while that has other work for it.

        What is wrong with the records of one host keeps no other host waiting.
        """
        if self._executor.crew.remote(host):
            return self._executor.crew.start(host, functools.partial(self._safely, work, host))
        self._near = True
        try:
            work(host)
        except InvalidInput as error:
            self._tell_error(host, error)
        finally:
            self._near = False
        return True

    def _safely(self, work: Callable[[str], None], host: str) -> None:
        """Work in a thread of its own, where nobody else would hear of errors."""
        try:
            work(host)
        except ReconcilerError as error:
            self._tell_error(host, error)

    def _tell_error(self, host: str, error: ReconcilerError) -> None:
        with self._telling:
            self._said.say(host, self._log.warning, "executor", host=host, error=str(error))

    def _work_on(self, host: str) -> None:
        outcome = self._executor.converge(host)
        self._worked.append(host)
        if outcome is None:
            return
        with self._telling:
            self._said.over(host)
            log_outcome(self._log, outcome)
            if outcome.well:
                self._failing.discard(host)
            else:
                self._failing.add(host)
            self._settled({(host, app.app) for app in outcome.apps})

    def _tell_run(self, claim: Claim, finished: RunFinished) -> None:
        self._worked.append(claim.work.host)
        log_run(self._log, claim, finished)
        self._store.work.wake(claim.work.host)  # what stands behind it may be a converge

    def _look_for_drift(self) -> None:
        situation = self._situation
        if situation is None:
            return
        periods = {
            (host, app): situation.manifests.apps[app].verify_every_seconds
            for host in self._hosts()
            for app in situation.desired.hosts.get(host, {})
            if situation.manifests.apps[app].drift is not DriftPolicy.IGNORE
        }
        for host, app in self._timer.due(periods, self._clock.monotonic()):
            self._unlooked.setdefault(host, set()).add(app)
        for host, apps in list(self._unlooked.items()):
            if self._begin(host, functools.partial(self._look, situation, sorted(apps))):
                del self._unlooked[host]

    def _look(self, situation: Situation, apps: Sequence[str], host: str) -> None:
        manifests = situation.manifests.apps
        look_for_drift(self._executor, self._log, host, {app: manifests[app].drift for app in apps})
