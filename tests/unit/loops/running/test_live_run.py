"""How long a run is certainly ours."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.loops.running.live_run import LiveRun
from reconciler.model.work import Claim, Lease
from reconciler.store import Store
from tests.fakes.clock import FakeClock


@dataclass
class Redis:
    """Renews what it is told to."""

    work: bool = True
    host: bool = True

    @property
    def store(self) -> Store:
        work = SimpleNamespace(renew=lambda *_: self.work, add_output=lambda *_: True)
        leases = SimpleNamespace(renew=lambda *_: self.host)
        return cast(Store, SimpleNamespace(work=work, leases=leases))


def live_run(redis: Redis, clock: FakeClock) -> LiveRun:
    claim: Any = SimpleNamespace(work=SimpleNamespace(state=SimpleNamespace(finished=False)))
    live = LiveRun(cast(Claim, claim), redis.store, clock, 30.0)
    live.lease = cast(Lease, SimpleNamespace())
    return live


@pytest.mark.parametrize(
    ("redis", "held"), [(Redis(), 30.0), (Redis(work=False), 15.0), (Redis(host=False), 15.0)], ids=str
)
def test_a_run_is_ours_for_as_long_as_both_its_leases_were_renewed_for(redis: Redis, held: float) -> None:
    clock = FakeClock()
    live = live_run(redis, clock)
    clock.sleep(15.0)
    live.beat()
    assert live.held_seconds == held


def test_once_its_time_is_over_there_is_next_to_none_left() -> None:
    clock = FakeClock()
    live = live_run(Redis(), clock)
    clock.sleep(31.0)
    assert 0 < live.held_seconds < 0.01


def test_it_counts_from_when_the_claim_was_asked_for() -> None:
    clock = FakeClock()
    asked_at = clock.monotonic()
    clock.sleep(10.0)
    claim: Any = SimpleNamespace()
    assert LiveRun(cast(Claim, claim), Redis().store, clock, 30.0, asked_at).held_seconds == 20.0
