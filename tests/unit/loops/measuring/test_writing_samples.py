"""When a collector tries again to write its samples while Redis is away."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

from reconciler.errors import Unavailable
from reconciler.loops.measuring.collector import Collector
from tests.fakes.log import FakeLog


class Redis:
    """Is away at some times. It stands for the event that ends the loop, too: waiting makes time pass."""

    def __init__(self, away: tuple[float, float], until: float) -> None:
        self.away, self.until, self.now = away, until, 0.0
        self.tried_at: list[float] = []
        self.dropped = 0

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.until

    def deliver(self) -> dict[str, object]:
        self.tried_at.append(self.now)
        if self.away[0] <= self.now < self.away[1]:
            raise Unavailable.of("redis-unreachable", "connection refused")
        return {}


def test_the_pauses_double_up_to_ten_seconds_and_are_short_again_afterwards() -> None:
    redis, log = Redis((1, 30), until=37.5), FakeLog()
    nothing = cast(Any, None)
    judge = cast(Any, SimpleNamespace(publish=lambda _: None))
    collector = Collector(
        sample=nothing, writer=cast(Any, redis), crew=nothing, clock=nothing, log=cast(Any, log), judge=judge
    )
    collector._write_on(cast(threading.Event, redis))
    assert redis.tried_at == [0.5, 1, 2, 4, 8, 16, 26, 36, 36.5, 37]
    assert log.events == ["samples-wait"]
