"""When apps are looked at: once in every period, spread over it."""

from __future__ import annotations

from reconciler.loops.converging.drift_timer import DriftTimer

HOSTS = [(f"web-{number}", "hello") for number in range(100)]
PERIODS = dict.fromkeys(HOSTS, 60.0)


def test_every_app_is_looked_at_once_in_every_period() -> None:
    timer = DriftTimer()
    looked = [pair for second in range(601) for pair in timer.due(PERIODS, float(second))]
    assert {looked.count(pair) for pair in HOSTS} <= {10, 11}


def test_looks_are_spread_over_the_period_and_keep_their_places() -> None:
    timer = DriftTimer()
    _, one, other = ({s: sorted(timer.due(PERIODS, float(at + s))) for s in range(60)} for at in (0, 60, 120))
    assert max(map(len, one.values())) < 10
    assert one == other
