"""The monitor between hosts that write alerts and the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Refused, Unavailable
from reconciler.model.alerts import Acknowledgement, AlertId, AlertState
from reconciler.model.monitoring import AlertScope
from reconciler.store import OWN
from tests.integration.monitor.conftest import Watched, said
from tests.unit.alerting.rules import START, firing, rule, silence

BUSY = firing("CpuBusy", "web-1")
RESOLVED = replace(BUSY, state=AlertState.RESOLVED)


def test_an_alert_that_a_host_wrote_reaches_the_outbox_once_and_so_does_its_end(watched: Watched) -> None:
    monitor, _ = watched.monitor(term=1)
    watched.write("web-1", BUSY)
    assert [said(it) for it in monitor.tick()] == ["mail firing 1"]
    assert monitor.tick() == ()
    watched.write("web-1", RESOLVED)
    monitor.tick()
    assert watched.outbox() == ["mail firing 1", "mail resolved 1"]


def test_the_next_monitor_goes_on_where_the_last_one_was(watched: Watched) -> None:
    watched.write("web-1", BUSY)
    watched.monitor(term=1)[0].tick()
    later, _ = watched.monitor(term=2)
    assert later.tick() == ()
    watched.write("web-1", RESOLVED)
    assert [said(it) for it in later.tick()] == ["mail resolved 1"]


def test_two_leaders_at_once_send_no_message_twice(watched: Watched) -> None:
    old, _ = watched.monitor(term=1)
    old.tick()
    new, _ = watched.monitor(term=2)
    new.tick()
    watched.write("web-1", BUSY)
    with pytest.raises(Refused):
        old.tick()
    new.tick()
    assert watched.outbox() == ["mail firing 1"]


def test_a_monitor_that_was_cut_off_between_outbox_and_memory_sends_nothing_twice(watched: Watched) -> None:
    watched.write("web-1", BUSY)
    watched.monitor(term=1)[0].tick()
    watched.opened.link.send("DEL", "rc:{_}:told")
    watched.monitor(term=2)[0].tick()
    assert watched.outbox() == ["mail firing 1"]


def test_a_monitor_that_stands_by_does_nothing(watched: Watched) -> None:
    monitor, _ = watched.monitor(term=1)
    monitor.stand_by()
    watched.write("web-1", BUSY)
    assert monitor.tick() == ()
    assert watched.outbox() == []


def stale_since(watched: Watched, seconds: float) -> None:
    """As if the monitor had seen all HostStale alerts pending for so long."""
    alerts = watched.store.alerts.read([OWN])
    aged = {
        name: replace(alert, held_seconds=alert.held_seconds + seconds, since=alert.since - timedelta(seconds=seconds))
        for name, alert in alerts.items()
    }
    watched.store.alerts.write(OWN, aged)


def test_a_hundred_hosts_that_fall_silent_at_once_are_one_message(watched: Watched) -> None:
    first, clock = watched.monitor(term=1)
    watched.sampled(*watched.manifests.hosts, seconds_ago=100)
    first.tick()
    assert watched.store.alerts.read([OWN]) == {}, "it was away itself a moment ago"
    clock.seconds += 31
    first.tick()
    assert len(watched.store.alerts.read([OWN])) == 100
    assert watched.outbox() == []

    stale_since(watched, 60)
    second, clock = watched.monitor(term=2)
    second.tick()
    clock.seconds += 31
    second.tick()
    assert watched.outbox() == ["mail firing 100"]


def test_while_redis_is_away_nothing_is_decided_and_then_one_stale_window_is_waited_for(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor, clock = watched.monitor(term=1)
    monitor.tick()
    clock.seconds += 3600

    def away(*_: object) -> None:
        raise Unavailable.of("redis-unreachable", "away")

    with monkeypatch.context() as patched:
        patched.setattr(watched.store.alerts, "sweep", away)
        with pytest.raises(Unavailable):
            monitor.tick()
    watched.sampled("web-1", seconds_ago=3600)
    monitor.tick()
    assert watched.store.alerts.read([OWN]) == {}
    clock.seconds += 31
    monitor.tick()
    assert watched.store.alerts.read([OWN])[AlertId("HostStale", "web-1")].state is AlertState.PENDING


def test_a_stale_host_keeps_its_other_alerts_quiet(watched: Watched) -> None:
    stale = firing("HostStale", "web-1", severity="critical")
    watched.sampled("web-1", seconds_ago=1000)
    watched.store.alerts.write(OWN, {stale.id: stale})
    watched.write("web-1", BUSY)
    monitor, _ = watched.monitor(term=1)
    (told,) = monitor.tick()
    assert [str(alert.id) for alert in told.alerts] == ["HostStale@web-1"]


def test_a_rule_over_the_fleet_sees_the_newest_values_of_the_hosts_that_it_picks(watched: Watched) -> None:
    hot = rule("Hot", "avg(cpu.percent) > 50 and max(filesystem.percent) > 90", scope=AlertScope.FLEET)
    watched.manifests = replace(watched.manifests, alerts={"Hot": hot})
    watched.sampled("web-1", "web-2")
    watched.sampled("web-3", seconds_ago=900)
    full = {"filesystem.percent[/]": 95.0, "filesystem.percent[/var]": 10.0}
    watched.metrics |= {
        "web-1": {"cpu.percent": 90.0, **full},
        "web-2": {"cpu.percent": 20.0},
        "web-3": {"cpu.percent": 0.0},
    }
    monitor, _ = watched.monitor(term=1)
    (told,) = monitor.tick()
    assert [(str(alert.id), alert.value) for alert in told.alerts] == [("Hot", 55.0)]
    monitor.lead(replace(watched.manifests, alerts={}), 1)
    (over,) = monitor.tick()
    assert over.alerts[0].reason == "the rule was removed"


def test_a_rule_over_the_fleet_counts_alerts(watched: Watched) -> None:
    many = rule("Many", "alerts('alert=CpuBusy') >= 2", scope=AlertScope.FLEET)
    watched.manifests = replace(watched.manifests, alerts={"Many": many}, channels={})
    monitor, _ = watched.monitor(term=1)
    watched.write("web-1", BUSY)
    monitor.tick()
    assert watched.store.alerts.read([OWN]) == {}
    watched.write("web-2", firing("CpuBusy", "web-2"))
    monitor.tick()
    assert [str(name) for name in watched.store.alerts.read([OWN])] == ["Many"]


def test_a_silence_set_by_hand_holds_and_is_forgotten_a_day_after_its_end(watched: Watched) -> None:
    now = SystemClock().now()
    watched.store.alerts.silence(silence("host=web-1", end=now + timedelta(hours=1)))
    watched.write("web-1", BUSY)
    monitor, _ = watched.monitor(term=1)
    assert monitor.tick() == ()
    watched.store.alerts.silence(silence("host=web-1", end=now - timedelta(days=2)))
    assert [said(it) for it in monitor.tick()] == ["mail firing 1"]
    assert watched.store.alerts.silences() == {}


def test_an_acknowledgement_ends_with_its_alert(watched: Watched) -> None:
    monitor, _ = watched.monitor(term=1)
    watched.write("web-1", BUSY)
    watched.store.alerts.acknowledge({BUSY.id: Acknowledgement("eva", START, started_at=BUSY.started_at)})
    monitor.tick()
    assert BUSY.id in watched.store.alerts.acknowledgements()
    watched.write("web-1", RESOLVED)
    monitor.tick()
    assert watched.store.alerts.acknowledgements() == {}


def test_the_alerts_of_a_host_that_left_the_fleet_are_over(watched: Watched) -> None:
    monitor, _ = watched.monitor(term=1)
    watched.write("web-1", BUSY)
    monitor.tick()
    hosts = {name: host for name, host in watched.manifests.hosts.items() if name != "web-1"}
    monitor.lead(replace(watched.manifests, hosts=hosts), 1)
    (told,) = monitor.tick()
    assert (said(told), told.alerts[0].reason) == ("mail resolved 1", "it is no longer reported")
