"""One chaos test from its beginning to its verdict: fleet, server, proxy, executors, storm, calm, audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from reconciler.clock import Clock, SystemClock
from reconciler.errors import Unavailable
from reconciler.model.work import WorkState
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.chaos.asking import Asking, wishes
from tests.chaos.audit import Violation, acted, audit
from tests.chaos.evidence import Evidence
from tests.chaos.executors import Executors
from tests.chaos.fleet import write_fleet
from tests.chaos.gathering import gather, left_in
from tests.chaos.server import ProxyProcess, Server
from tests.chaos.storm import Storm, faults

_TURN_SECONDS = 0.1
_COUNT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of test this is.

    Args:
        calm_seconds: between two faults, on the average.
        most_faults: there are no more of them.
        storm_until: the share of the runs that have ended when the storm is over at the latest; above 1: not before all
            faults have come.
        patience_seconds: if nothing ends for so long after the storm, nothing more will.
    """

    runs: int = 20_000
    hosts: int = 200
    executors: int = 4
    seed: int = 1
    lease_seconds: float = 6.0
    calm_seconds: float = 3.0
    most_faults: int = 1_000_000
    storm_until: float = 0.95
    patience_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened."""

    evidence: Evidence
    violations: Sequence[Violation]
    counts: Mapping[str, int] = field(default_factory=dict)


def run_trial(plan: Plan, root: Path, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do it. `root` is an empty directory that the fleet, its hosts and the server's data will stand in."""
    clock, chance = SystemClock(), Random(plan.seed)
    hosts = write_fleet(root, plan.hosts)
    server = Server(root / "server")
    with ExitStack() as closing:
        server.start()
        closing.callback(server.kill)
        proxy = ProxyProcess(server.port)
        closing.callback(proxy.close)
        asking = Asking(root, proxy.url, wishes(chance, hosts, plan.runs))
        asking.start()
        executors = Executors(root, proxy.url, plan.executors, plan.lease_seconds)
        closing.callback(executors.close)
        coming = islice(faults(chance, plan.executors, plan.lease_seconds, plan.calm_seconds), plan.most_faults)
        storm = Storm(coming, executors, proxy, server, clock)
        progress = Progress(asking, server.url, clock)
        while not (progress.over and storm.spent and storm.settled):
            executors.mend()
            storm.tick()
            if progress.count():
                tell(f"{progress.seconds:5.0f} s  {progress.ended} of {plan.runs} ended, {progress.open} open")
            if storm.spent or progress.ended >= plan.storm_until * plan.runs:
                storm.over()
                if progress.still_seconds > plan.patience_seconds:
                    break
            assert asking.alive or asking.done, "asking for runs ended by an error, which stands above"
            clock.sleep(_TURN_SECONDS)
        executors.close()
        evidence = gather(root, server.url, hosts, asking.asked)
    refused = executors.refused.read_text().splitlines() if executors.refused.exists() else []
    others = {"refused stale writes": len(refused), "ended by others": executors.ended, "asked again": asking.tries}
    return Outcome(evidence, audit(evidence), {**storm.counts, **others, **_told(evidence)})


class Progress:
    """How many runs have ended, by the store; counted past the proxy."""

    def __init__(self, asking: Asking, url: str, clock: Clock) -> None:
        self._asking = asking
        self._url = url
        self._ended: set[tuple[str, str]] = set()
        self._clock = clock
        self._began = self._moved = clock.monotonic()
        self._counted = float("-inf")
        self.open = 0
        self.over = False
        """Whether all was asked for, has ended and has left nothing that would go by itself."""

    @property
    def ended(self) -> int:
        return len(self._ended)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock.monotonic() - self._began

    @property
    def still_seconds(self) -> float:
        """Since anything ended."""
        return self._clock.monotonic() - self._moved

    def count(self) -> bool:
        """Ask, now and then, for those that had not ended; where Redis is away, nothing changes."""
        if self._clock.monotonic() - self._counted < _COUNT_SECONDS:
            return False
        asked = [(each.host, each.id) for each in self._asking.asked]
        waiting = [run for run in asked if run not in self._ended]
        with suppress(Unavailable), Store(at_url(self._url, self._clock)) as store:
            states = store.work.states(waiting)
            ended = {run for run, state in zip(waiting, states, strict=True) if state and state.finished}
            self._ended |= ended
            self._moved = self._clock.monotonic() if ended else self._moved
            self.over = self._asking.done and len(asked) == len(self._ended) and not left_in(store)
        self.open = self._asking.open = len(asked) - len(self._ended)
        self._counted = self._clock.monotonic()
        return True


def _told(evidence: Evidence) -> Mapping[str, int]:
    """Counts of what became of the runs."""
    states = Counter(known.state for known in evidence.known)
    times = acted(evidence)
    return {
        "submitted": len(evidence.asked),
        **{state.value: states[state] for state in WorkState if states[state]},
        "failed by onLost": sum(known.code == "run-lost" for known in evidence.known),
        "redelivered": sum(max(0, known.deliveries - 1) for known in evidence.known),
        "acted": sum(times.values()),
        "acted again by permission": sum(count > 1 for count in times.values()),
        "never acted": len({(each.host, each.id) for each in evidence.asked} - times.keys()),
    }
