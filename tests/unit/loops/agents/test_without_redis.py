"""Timelines of an agent that cannot reach Redis: when it tries again, what it says of that, and that it stays alive."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from reconciler.errors import Unavailable
from reconciler.loops.agents.agent import LONGEST_PAUSE_SECONDS, STUCK_SECONDS, Agent
from reconciler.model.host_monitoring import HostMonitoring
from tests.fakes.clock import FakeClock
from tests.fakes.log import FakeLog

AWAY = "connection refused"


@dataclass
class Timeline:
    """An agent whose Redis is away at times; implements `Event`, in which waiting is what makes time pass."""

    outages: tuple[tuple[float, float, str], ...]
    """From when until when, and what is then said of it."""
    until: float
    """The agent is told to stop then."""
    clock: FakeClock = field(default_factory=lambda: FakeClock(0.0))
    log: FakeLog = field(default_factory=FakeLog)
    tried_at: list[float] = field(default_factory=list)
    reported_at: list[float] = field(default_factory=list)
    alive_at: list[float] = field(default_factory=list)

    def run(self) -> Timeline:
        self.agent = self._agent()
        self.agent._loop(cast(threading.Event, self))
        return self

    # -- the event that ends the loop

    def is_set(self) -> bool:
        return self.clock.seconds >= self.until

    def wait(self, seconds: float) -> bool:
        """Time passes; meanwhile the thread beside the loop tells that the agent is there."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end:
            self.clock.seconds = min(end, self.clock.seconds + 10.0)
            self.agent._show()
        return self.is_set()

    # -- what the agent works with

    def _agent(self) -> Agent:
        store = SimpleNamespace(
            work=SimpleNamespace(ready=self._ready),
            key_lists=SimpleNamespace(read=lambda _: {}),
            monitoring=SimpleNamespace(read=lambda _: HostMonitoring()),
            looks=SimpleNamespace(asked=lambda _: ()),
            observed=SimpleNamespace(write_facts=lambda *_: None),
        )
        executor = SimpleNamespace(
            store=store,
            fleet="small",
            report=lambda _: self.reported_at.append(self.clock.seconds),
            view=lambda _: SimpleNamespace(apps={}, bundles={}, renderer=None),
            converge=lambda _: None,
        )
        return Agent(
            "edge-1",
            cast(Any, executor),
            cast(Any, None),
            runs=lambda _: cast(Any, SimpleNamespace(start=lambda _: ())),
            pinned=cast(Any, SimpleNamespace(keys=SimpleNamespace(version=1))),
            collector=cast(Any, SimpleNamespace(show=lambda _: None)),
            facts=dict,
            clock=self.clock,
            log=cast(Any, self.log),
            alive=lambda: self.alive_at.append(self.clock.seconds),
        )

    def _ready(self, *, agent: str, wait_seconds: float) -> list[str]:
        assert agent == "edge-1"
        said = next((why for begin, end, why in self.outages if begin <= self.clock.seconds < end), "")
        self.tried_at.append(self.clock.seconds)
        if said:
            raise Unavailable.of("redis-unreachable", said)
        self.clock.sleep(wait_seconds)
        return []


def test_the_pauses_between_tries_double_up_to_half_a_minute() -> None:
    away = Timeline(((0, 200, AWAY),), until=160).run()
    assert away.tried_at == [0, 1, 3, 7, 15, 31, 61, 91, 121, 151]
    assert LONGEST_PAUSE_SECONDS == 30


def test_once_redis_is_back_it_sweeps_at_once_and_goes_by_hints_again() -> None:
    back = Timeline(((0, 40, AWAY),), until=75).run()
    assert back.tried_at == [0, 1, 3, 7, 15, 31, 61, 61, 63, 65, 67, 69, 71, 71, 73]
    assert back.reported_at == [61, 71]


def test_after_a_short_outage_too_it_looks_for_what_it_may_have_missed() -> None:
    assert Timeline(((4, 6, AWAY),), until=8).run().reported_at == [0, 7]


def test_another_outage_begins_with_short_pauses_again() -> None:
    twice = Timeline(((0, 10, AWAY), (20, 30, AWAY)), until=32).run()
    assert [at for at in twice.tried_at if at >= 20] == [21, 22, 24, 28]
    assert twice.log.events == ["waiting", "connected", "waiting"]


def test_why_it_waits_is_said_once_for_each_reason_and_so_is_its_end() -> None:
    told = Timeline(((0, 20, AWAY), (20, 40, "WRONGPASS")), until=70).run()
    assert told.log.events == ["waiting", "waiting", "connected"]


def test_an_agent_that_waits_for_redis_does_not_look_as_if_it_hung() -> None:
    away = Timeline(((0, 1000, AWAY),), until=600).run()
    silences = [after - before for before, after in zip(away.alive_at, away.alive_at[1:], strict=False)]
    assert max(silences) < STUCK_SECONDS / 2


def test_an_agent_that_hangs_is_silent_after_a_minute() -> None:
    hung = Timeline((), until=0)
    hung.run()
    hung.until = 200
    hung.wait(200)
    assert hung.alive_at == [10, 20, 30, 40, 50]
