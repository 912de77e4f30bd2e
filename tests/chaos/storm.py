"""Faults in an order that chance decides, by a seed: what happens, to whom, and how long until the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from reconciler.clock import Clock
from tests.chaos.executors import Executors
from tests.chaos.server import ProxyProcess, Server

_SHARES = {"kill": 4, "stop": 2, "cut": 3, "half-asked": 3, "half-told": 3, "restart": 2}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    after_seconds: float
    """Since the one before."""
    kind: str
    place: int
    """Which executor, where it hits one."""
    lasts_seconds: float
    """How long, where it lasts."""


def faults(chance: Random, executors: int, lease_seconds: float, calm_seconds: float) -> Iterator[Fault]:
    """Faults without end, `calm_seconds` apart on the average; the first ones are of every kind once."""
    kinds = list(_SHARES)
    chance.shuffle(kinds)
    while True:
        kind = kinds.pop() if kinds else chance.choices(list(_SHARES), list(_SHARES.values()))[0]
        lasts = chance.uniform(1.2, 2.0) * lease_seconds if kind == "stop" else chance.uniform(0.0, 2.0)
        yield Fault(chance.uniform(0.2, 1.8) * calm_seconds, kind, chance.randrange(executors), lasts)


class Storm:
    """Lets faults happen when their time comes; asked again and again."""

    def __init__(
        self, coming: Iterator[Fault], executors: Executors, proxy: ProxyProcess, server: Server, clock: Clock
    ) -> None:
        self._coming = coming
        self._executors = executors
        self._proxy = proxy
        self._server = server
        self._clock = clock
        self._next = next(coming, None)
        self._at = clock.monotonic() + self._next.after_seconds if self._next else float("inf")
        self._stopped: dict[int, float] = {}
        """Process -> when it goes on."""
        self.counts: Counter[str] = Counter()

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        self._resume(now)
        if not self._next or now < self._at:
            return
        self._strike(self._next)
        self._next = next(self._coming, None)
        self._at = self._clock.monotonic() + self._next.after_seconds if self._next else float("inf")

    def over(self) -> None:
        """No more faults; whoever is stopped goes on when its time comes, so ask `settled` until it is."""
        self._next = None

    @property
    def spent(self) -> bool:
        """Whether no fault will come any more."""
        return self._next is None

    @property
    def settled(self) -> bool:
        """Whether nobody is stopped any more."""
        self._resume(self._clock.monotonic())
        return not self._stopped

    def _resume(self, now: float) -> None:
        for pid in [pid for pid, until in self._stopped.items() if until <= now]:
            self._executors.resume(pid)
            del self._stopped[pid]

    def _strike(self, fault: Fault) -> None:
        self.counts[fault.kind] += 1
        match fault.kind:
            case "kill":
                self._executors.kill(fault.place)
            case "stop":
                pid = self._executors.stop(fault.place)
                self._stopped[pid] = self._clock.monotonic() + fault.lasts_seconds
            case "restart":
                self._server.kill()
                self._clock.sleep(fault.lasts_seconds)
                self._server.start()
            case how:
                self.counts["connections"] += self._proxy.cut(how)
