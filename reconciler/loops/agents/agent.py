"""The loop of an agent: it works on its own host alone, with what stands in that host's slot.

The executor does the work; here is when: on a hint, on a sweep, and when the time to look for drift has come. While
Redis is away nothing ends: what is under way is finished, and the next turn is tried again with growing pauses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from reconciler.clock import Clock
from reconciler.errors import HostFailed, ReconcilerError, Refused
from reconciler.loops.agents.agent_looks import answer_looks
from reconciler.loops.agents.key_updates import Pinned, update_keys
from reconciler.loops.converging.confirming import Confirming
from reconciler.loops.converging.drift_look import look_for_drift
from reconciler.loops.converging.drift_timer import DriftTimer
from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome_log import log_outcome, log_run
from reconciler.loops.keeper import Keeper
from reconciler.loops.log import Log
from reconciler.loops.measuring.app_checks import AppChecks, app_checks
from reconciler.loops.measuring.collector import Collector
from reconciler.loops.measuring.watched_host import WatchedHost, WatchedOnly
from reconciler.loops.running.run_crew import RunCrew, Told
from reconciler.model.host_monitoring import HostMonitoring
from reconciler.model.manifests import DriftPolicy
from reconciler.model.work import Claim
from reconciler.resources.protocol import RunFinished

STOP_SECONDS = 8.0
"""How long a stop waits for what is under way; the next start takes it up."""
HINT_SECONDS = 2.0
SWEEP_SECONDS = 10.0
"""How often the slot is read without a hint, and how often the host says what it knows and that it is there."""
LONGEST_PAUSE_SECONDS = 30.0
STUCK_SECONDS = 60.0
"""A turn that takes longer, and is not at work on the host, hangs."""


class Agent:
    """Serves one host until it is told to stop.

    Args:
        host: its name.
        executor: works on this host alone.
        confirming: looks after what is applied on trial.
        runs: makes what carries out runs of jobs, given what hears how they ended.
        pinned: the keys whose statements count.
        collector: samples this host.
        facts: of this machine.
        alive: told every few seconds that all is well; silence has an agent that hangs restarted.
    """

    def __init__(
        self,
        host: str,
        executor: Executor,
        confirming: Confirming,
        *,
        runs: Callable[[Told], RunCrew],
        pinned: Pinned,
        collector: Collector,
        facts: Callable[[], Mapping[str, object]],
        clock: Clock,
        log: Log,
        alive: Callable[[], None],
    ) -> None:
        self._host = host
        self._executor = executor
        self._runs = runs(self._tell_run)
        self._pinned = pinned
        self._confirming = confirming
        self._collector = collector
        self._facts = facts
        self._clock = clock
        self._log = log
        self._alive = alive
        self._timer = DriftTimer()
        self._policies: Mapping[str, tuple[float, DriftPolicy]] = {}
        """App -> how often to look at it, and what to do about drift."""
        self._swept = float("-inf")
        self._turned_at = clock.monotonic()
        self._at_work = False
        self._refused: dict[str, str] = {}
        """Subject -> what was last refused of it."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set.

        Raises:
            HostFailed: a thread ended by a mistake of this program.
        """
        loop = threading.Thread(target=self._loop, args=(stop,), name="agent", daemon=True)
        trials = threading.Thread(target=self._confirming.run, args=(stop,), name="confirming", daemon=True)
        samples = threading.Thread(target=self._collector.run, args=(stop,), name="collector", daemon=True)
        threads = (loop, trials, samples)
        for thread in threads:
            thread.start()
        with Keeper(self._show, SWEEP_SECONDS):
            while all(thread.is_alive() for thread in threads) and not stop.wait(1.0):
                continue
            deadline = self._clock.monotonic() + STOP_SECONDS
            self._wake()
            loop.join(max(deadline - self._clock.monotonic(), 0.0))
            self._runs.close()
        if not stop.is_set():
            raise HostFailed.of("thread-ended", "a thread of the agent ended; its error stands above")

    def _loop(self, stop: threading.Event) -> None:
        pause, told = 1.0, ""
        while not stop.is_set():
            self._turned_at = self._clock.monotonic()
            try:
                self._turn()
                if told:
                    self._log.info("connected")
                pause, told = 1.0, ""
            except ReconcilerError as error:
                if str(error) != told:
                    told = str(error)
                    self._log.warning("waiting", error=told)
                self._swept = float("-inf")
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _turn(self) -> None:
        now = self._clock.monotonic()
        sweeps = now - self._swept >= SWEEP_SECONDS
        wait = 0.0 if sweeps else HINT_SECONDS
        hinted = bool(self._executor.store.work.ready(agent=self._host, wait_seconds=wait))
        if sweeps:
            self._executor.report([self._host])
            self._swept, hinted = now, True
        self._at_work = True
        try:
            if hinted:
                self._update_keys()
                self._read_slot()
                self._converge()
                answer_looks(self._executor, self._host)
                self._runs.start([self._host])
            self._look_for_drift()
        finally:
            self._at_work = False

    def _read_slot(self) -> None:
        """Read anew what is to be measured and looked at."""
        try:
            view = self._executor.view(self._host)
        except Refused as error:
            self._refuse("statement", error)
            self._measure(())
            return
        self._refuse("statement", None)
        self._measure(app_checks(view.apps, view.bundles, view.renderer))
        policies = {app: view.policy(app) for app in view.apps}
        self._policies = {
            app: (policy["verifyEvery"], DriftPolicy(policy["drift"])) for app, policy in policies.items()
        }

    def _measure(self, checks: tuple[AppChecks, ...]) -> None:
        """Sample the host as Redis says; the checks are those of the apps that were signed."""
        told = self._executor.store.monitoring.read(self._host) or HostMonitoring()
        host = WatchedHost(self._host, told.labels, told.apps, checks, told.rules, self._facts())
        self._collector.show(WatchedOnly(host, told.measuring))

    def _update_keys(self) -> None:
        before = self._pinned.keys.version
        lists = self._executor.store.key_lists.read(self._host)
        self._refuse("keys", update_keys(self._pinned, lists, self._executor.fleet))
        if self._pinned.keys.version != before:
            self._log.info("keys", version=self._pinned.keys.version)
            self._executor.store.journal.append("keys", host=self._host, version=self._pinned.keys.version)

    def _refuse(self, subject: str, error: Refused | None) -> None:
        """Tell it once, where people look. That nothing was signed yet is no news."""
        told = str(error) if error else ""
        if error and told != self._refused.get(subject):
            self._log.error("refused", error=told)
            if error.problems[0].code != "no-statement":
                self._executor.store.journal.append("refused", host=self._host, reason=told)
        self._refused[subject] = told

    def _tell_run(self, claim: Claim, finished: RunFinished) -> None:
        log_run(self._log, claim, finished)
        self._executor.store.work.wake(self._host, agents=(self._host,))

    def _wake(self) -> None:
        """End the loop's wait for a hint; without Redis it waits for none."""
        with suppress(ReconcilerError):
            self._executor.store.work.wake(self._host, agents=(self._host,))

    def _converge(self) -> None:
        outcome = self._executor.converge(self._host)
        if outcome:
            log_outcome(self._log, outcome)

    def _look_for_drift(self) -> None:
        periods = {
            (self._host, app): period
            for app, (period, policy) in self._policies.items()
            if policy is not DriftPolicy.IGNORE
        }
        ripe = [app for _, app in self._timer.due(periods, self._clock.monotonic())]
        if ripe:
            look_for_drift(self._executor, self._log, self._host, {app: self._policies[app][1] for app in ripe})

    def _show(self) -> bool:
        """Beside the loop, also while it works for long: the host is there."""
        if self._at_work or self._clock.monotonic() - self._turned_at < STUCK_SECONDS:
            self._alive()
        self._executor.store.observed.write_facts(self._host, self._facts())
        return True
