"""From a sample to an alert in Redis: rules judged beside the samples, over restarts, applies and outages of Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.loops.measuring.judging import Judging
from reconciler.model.alerts import AlertId, AlertState
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.fakes.clock import FakeClock
from tests.integration.collector.measured import Bench, Fleet
from tests.integration.store.servers import valkey

BUSY = AlertId("Busy", "web-1")


def rule(expr: str = "cpu.percent > 90", **fields: object) -> Alert:
    return Alert(Metadata("Busy", Origin("", 0)), expr, "{{ host.name }} is busy", **fields)  # type: ignore[arg-type]


def bench(store: Store, fleet: Fleet) -> Bench:
    clock = FakeClock(SystemClock().monotonic())
    return Bench(fleet, store, clock=clock, judge=Judging(store, clock))


def turn(bench: Bench, seconds: float = 5.0) -> None:
    """Let time pass, and what was found be written."""
    bench.run(seconds)
    bench.collector.deliver()


def state(store: Store, alert_id: AlertId = BUSY) -> AlertState | None:
    found = store.alerts.read(["web-1"]).get(alert_id)
    return found.state if found else None


def test_a_rule_that_holds_fires_and_resolves(store: Store) -> None:
    fleet = Fleet(rules=(rule(),), values={"cpu.percent": 95.0})
    running = bench(store, fleet)
    turn(running)
    turn(running)
    turn(running)
    found = store.alerts.read(["web-1"])[BUSY]
    assert (found.state, found.value, found.summary) == (AlertState.FIRING, 95.0, "web-1 is busy")
    fleet.values = {"cpu.percent": 10.0}
    turn(running)
    turn(running)
    assert state(store) is AlertState.RESOLVED
    told = [it.alert.state for it in reversed(store.alerts.transitions("web-1"))]
    assert told[-2:] == [AlertState.FIRING, AlertState.RESOLVED]


def test_each_filesystem_has_an_alert_of_its_own(store: Store) -> None:
    values = {"filesystem.percent[/]": 10.0, "filesystem.percent[/var]": 99.0}
    running = bench(store, Fleet(rules=(rule("filesystem.percent > 95", each="filesystem"),), values=values))
    for _ in range(3):
        turn(running)
    assert state(store, AlertId("Busy", "web-1", "/var")) is AlertState.FIRING
    assert state(store, AlertId("Busy", "web-1", "/")) is None


def test_an_alert_goes_on_after_a_restart(store: Store) -> None:
    fleet = Fleet(rules=(rule(),), values={"cpu.percent": 95.0})
    before = bench(store, fleet)
    for _ in range(3):
        turn(before)
    assert state(store) is AlertState.FIRING
    began = store.alerts.read(["web-1"])[BUSY].started_at
    after = bench(store, fleet)
    for _ in range(3):
        turn(after)
    assert store.alerts.read(["web-1"])[BUSY].started_at == began


def test_alerts_that_name_an_app_stand_still_while_it_is_applied(store: Store) -> None:
    values = {"health.ok[webapp]": 0.0}
    running = bench(store, Fleet(rules=(rule("health.ok == 0", each="app"),), values=values))
    store.alerts.hold("web-1", "webapp", 900.0)
    for _ in range(4):
        turn(running)
    assert state(store, AlertId("Busy", "web-1", "webapp")) is None
    store.alerts.hold("web-1", "webapp", -1.0)
    for _ in range(4):
        turn(running)
    assert state(store, AlertId("Busy", "web-1", "webapp")) is AlertState.FIRING


def test_a_rule_that_left_resolves_its_alert_and_says_why(store: Store) -> None:
    fleet = Fleet(rules=(rule(),), values={"cpu.percent": 95.0})
    running = bench(store, fleet)
    for _ in range(3):
        turn(running)
    fleet.rules = ()
    for _ in range(2):
        turn(running)
    found = store.alerts.read(["web-1"])[BUSY]
    assert found.state is AlertState.RESOLVED
    assert "removed" in found.reason


def test_while_redis_is_away_states_go_on_and_nothing_ends(tmp_path: Path) -> None:
    with valkey(tmp_path) as url:
        store = Store(at_url(url, SystemClock()))
        fleet = Fleet(rules=(rule(),), values={"cpu.percent": 10.0})
        running = bench(store, fleet)
        turn(running)
        turn(running)
    fleet.values = {"cpu.percent": 95.0}
    with pytest.raises(Unavailable):
        turn(running)
    fleet.values = {"cpu.percent": 10.0}
    running.run(20)
    store.close()
