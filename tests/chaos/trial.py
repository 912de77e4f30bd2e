"""One chaos test from its beginning to its verdict: fleet, server, proxy, executors, storm, calm, audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.model.work import WorkState
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.chaos.asking import Asking, wishes
from tests.chaos.audit import Violation, acted, audit
from tests.chaos.evidence import Evidence
from tests.chaos.executors import Executors
from tests.chaos.fleet import write_fleet
from tests.chaos.gathering import gather, leases_left
from tests.chaos.server import ProxyProcess, Server
from tests.chaos.storm import Storm, faults

_TURN_SECONDS = 0.1
_COUNT_SECONDS = 2.0
_LEASES_GONE_SECONDS = 5.0
"""How long after the last executor its leases may stand, beside what is left of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of test this is.

    Args:
        calm_seconds: between two faults, on the average.
        most_faults: there are no more of them.
        storm_until: the share of the runs that have ended when the storm is over at the latest.
        patience_seconds: what has not ended so long after the storm never will.
    """

    runs: int = 20_000
    hosts: int = 200
    executors: int = 4
    seed: int = 1
    lease_seconds: float = 6.0
    calm_seconds: float = 3.0
    most_faults: int = 1_000_000
    storm_until: float = 0.95
    patience_seconds: float = 180.0


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
        progress = Progress(asking, server.url)
        began = clock.monotonic()
        ends_at = float("inf")
        while not (asking.done and progress.open == 0 and storm.settled) and clock.monotonic() < ends_at:
            executors.mend()
            storm.tick()
            if clock.monotonic() - progress.counted_at >= _COUNT_SECONDS:
                progress.count()
                tell(f"{clock.monotonic() - began:5.0f} s  {progress.ended} of {plan.runs} ended, {progress.open} open")
                if ends_at == float("inf") and (storm.spent or progress.ended >= plan.storm_until * plan.runs):
                    storm.over()
                    ends_at = clock.monotonic() + plan.patience_seconds
            assert asking.alive or asking.done, "asking for runs ended by an error, which stands above"
            clock.sleep(_TURN_SECONDS)
        executors.close()
        progress.until_no_lease_is_left(plan.lease_seconds + _LEASES_GONE_SECONDS)
        evidence = gather(root, server.url, hosts, asking.asked)
    refused = executors.refused.read_text().splitlines() if executors.refused.exists() else []
    others = {"refused stale writes": len(refused), "ended by others": executors.ended, "asked again": asking.tries}
    return Outcome(evidence, audit(evidence), {**storm.counts, **others, **_told(evidence)})


class Progress:
    """How many runs have ended, by the store; counted past the proxy."""

    def __init__(self, asking: Asking, url: str) -> None:
        self._asking = asking
        self._url = url
        self._ended: set[tuple[str, str]] = set()
        self._clock = SystemClock()
        self.counted_at = float("-inf")
        self.open = 0

    @property
    def ended(self) -> int:
        return len(self._ended)

    def count(self) -> None:
        """Ask for those that had not ended; where Redis is away, nothing changes."""
        waiting = [(each.host, each.id) for each in self._asking.asked if (each.host, each.id) not in self._ended]
        with suppress(Unavailable), Store(at_url(self._url, self._clock)) as store:
            states = store.work.states(waiting)
            self._ended |= {run for run, state in zip(waiting, states, strict=True) if state and state.finished}
        self.open = self._asking.open = len(self._asking.asked) - len(self._ended)
        self.counted_at = self._clock.monotonic()

    def until_no_lease_is_left(self, patience_seconds: float) -> None:
        """Leases of those who were killed run out by themselves; what is left after that time is found by the audit."""
        deadline = self._clock.monotonic() + patience_seconds
        with Store(at_url(self._url, self._clock)) as store:
            while leases_left(store) and self._clock.monotonic() < deadline:
                self._clock.sleep(_TURN_SECONDS)


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
