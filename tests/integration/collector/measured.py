"""Hosts that tell what a test says, and a collector that samples them as fast as a test wants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.errors import Unavailable
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.measuring.app_checks import AppChecks
from reconciler.loops.measuring.collector import Collector, Judge
from reconciler.loops.measuring.ring import Ring, RingView
from reconciler.loops.measuring.sample_writer import SampleWriter
from reconciler.loops.measuring.watched_host import WatchedHost
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Measuring
from reconciler.store import Store, Written
from tests.fakes.clock import FakeClock


@dataclass
class Lines:
    """A log that remembers."""

    told: list[str] = field(default_factory=list)

    def info(self, event: str, **values: Any) -> None:
        self.told.append(event)

    warning = error = info


@dataclass
class Fleet:
    """Hosts that tell what a test says, and how they are measured."""

    hosts: Sequence[str] = ("web-1",)
    values: Mapping[str, object] = field(default_factory=lambda: {"cpu.percent": 50.0})
    rules: tuple[Alert, ...] = ()
    measuring: Measuring = field(default_factory=Measuring)
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def of(self, host: str) -> WatchedHost:
        return WatchedHost(host, rules=self.rules)

    def sample(self, host: str, apps: Sequence[AppChecks]) -> Mapping[str, Any]:
        self.asked.append(host)
        if host in self.away:
            raise Unavailable.of("connect-failed", f"{host} is away")
        return {"values": dict(self.values), "at": 0.0, "notes": []}


@dataclass
class Seen:
    """Remembers what rules would have seen."""

    windows: list[list[float]] = field(default_factory=list)
    interval_seconds: float = 5.0

    def judge(self, host: WatchedHost, ring: Ring, at: float, now: datetime) -> None:
        self.windows.append(list(RingView(ring, "", at).window("cpu.percent", 600.0).values))

    def publish(self, written: Mapping[str, Written]) -> None:
        pass

    def forget(self, hosts: Collection[str]) -> None:
        pass


@dataclass
class Bench:
    fleet: Fleet
    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    log: Lines = field(default_factory=Lines)
    seen: Seen = field(default_factory=Seen)
    judge: Judge | None = None

    def __post_init__(self) -> None:
        self.writer = SampleWriter(self.store, self.clock)
        self.collector = Collector(
            sample=self.fleet.sample,
            writer=self.writer,
            crew=Crew(lambda _: False),
            clock=self.clock,
            log=self.log,
            judge=self.judge or self.seen,
        )
        self.collector.show(self.fleet)

    def run(self, seconds: float) -> None:
        """Let time pass, in steps of a second."""
        for _ in range(int(seconds)):
            self.collector.tick()
            self.clock.sleep(1.0)
