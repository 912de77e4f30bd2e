"""Who controls the fleet, along a timeline: how long it takes until another one does."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.loops.controlling.control import LEASE_SECONDS, Control
from reconciler.loops.watching.beginning import TURN_SECONDS
from reconciler.model.work import Lease
from tests.fakes.clock import FakeClock

TAKE_OVER_SECONDS = 20.0
"""What is promised."""


@dataclass
class Leases:
    """What the store promises of the one lease."""

    clock: FakeClock
    held: Lease | None = None
    until: float = field(default=float("-inf"))
    terms: int = 0

    def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        if self.clock.seconds < self.until:
            return None
        self.terms += 1
        self.held, self.until = Lease(name, holder, self.terms), self.clock.seconds + seconds
        return self.held

    def renew(self, lease: Lease, seconds: float) -> bool:
        if lease != self.held or self.clock.seconds >= self.until:
            return False
        self.until = self.clock.seconds + seconds
        return True


@pytest.mark.parametrize("lived_seconds", [0.0, 3.9, 4.0, 60.5])
def test_another_one_controls_the_fleet_within_20_seconds_of_the_leaders_death(lived_seconds: float) -> None:
    clock = FakeClock()
    store: Any = SimpleNamespace(leases=Leases(clock))
    first, second = Control(store, "ops-1", clock), Control(store, "ops-2", clock)
    died = clock.seconds + lived_seconds
    while clock.seconds <= died:
        assert first.hold()
        assert second.hold() is None
        clock.seconds += TURN_SECONDS
    died = clock.seconds
    while not second.hold():
        clock.seconds += TURN_SECONDS
    assert clock.seconds - died <= TAKE_OVER_SECONDS
    assert cast("Lease", second.hold()).term == 2


def test_who_was_stopped_for_longer_than_the_lease_controls_nothing_any_more() -> None:
    clock = FakeClock()
    store: Any = SimpleNamespace(leases=Leases(clock))
    first, second = Control(store, "ops-1", clock), Control(store, "ops-2", clock)
    first.hold()
    clock.seconds += LEASE_SECONDS
    assert second.hold()
    assert first.hold() is None
    assert not first.leads
