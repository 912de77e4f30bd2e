"""What gates and triggers know: samples and alerts as collectors and the monitor leave them in the store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.clock import SystemClock
from reconciler.loops.monitoring.monitor import Current
from reconciler.loops.scheduling.conditions import FleetConditions
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState
from reconciler.model.manifests import Fleet, Host, Manifests
from reconciler.model.metadata import Metadata, Origin
from reconciler.store import HostSample, Store
from reconciler.store.opening import at_url

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DISK = ActiveAlert(AlertId("DiskFull", "web-1"), AlertState.FIRING, NOW, NOW, labels={"severity": "critical"})
LOOKING_BACK = ("avg(cpu.percent, window=5m) > 90", "max(cpu.percent, window=10m) > 99")


def conditions(store: Store, *alerts: ActiveAlert, known: bool = True) -> FleetConditions:
    """After a sample of web-1; web-2 never sent one."""
    values = {"cpu.percent": 97.0, "filesystem.percent[/]": 40.0, "filesystem.percent[/var]": 92.0}
    written = store.metrics.write([HostSample("web-1", values, kept=values)])
    hosts = {name: Host(Metadata(name, Origin("", 0), {"role": "web"}), name) for name in ("web-1", "web-2")}
    manifests = Manifests(Fleet(Metadata("fleet", Origin("", 0))), hosts, {}, {})
    now = written[0].server_time
    current = Current(now, {alert.id: alert for alert in alerts}, frozenset({"web-1"})) if known else None
    found = FleetConditions(store, manifests, current)
    found.ask(dict.fromkeys(["web-1", "web-2"], LOOKING_BACK))
    return found


def test_expressions_speak_of_the_newest_sample(store: Store) -> None:
    found = conditions(store)
    assert found.holds("cpu.percent > 90", "web-1") is True
    assert found.holds("max(filesystem.percent) < 90", "web-1") is False
    assert found.holds("host.labels.role == 'web'", "web-1") is True


def test_expressions_look_back_at_what_is_kept(store: Store) -> None:
    found = conditions(store)
    assert [found.holds(expression, "web-1") for expression in LOOKING_BACK] == [True, False]


def test_what_is_kept_is_read_when_it_is_asked_for_and_not_again_for_each_host(store: Store, server_url: str) -> None:
    found = conditions(store)
    with closing(at_url(server_url, SystemClock())) as server:
        server.link.ask_primaries("FLUSHALL")
    assert found.holds(LOOKING_BACK[0], "web-1") is True


def test_expressions_speak_of_facts(store: Store) -> None:
    store.observed.write_facts("web-1", {"os": {"id": "debian"}})
    found = conditions(store)
    assert found.holds("facts.os.id == 'debian'", "web-1") is True
    assert found.holds("facts.os.id == 'debian'", "web-2") is None


def test_nothing_is_known_of_a_host_that_sends_no_samples(store: Store) -> None:
    found = conditions(store)
    assert found.holds("cpu.percent > 90", "web-2") is None
    assert found.firing("DiskFull", "web-2") is None


def test_nothing_is_known_before_the_monitor_has_looked(store: Store) -> None:
    found = conditions(store, known=False)
    assert found.holds("cpu.percent > 90", "web-1") is None
    assert found.firing("DiskFull", "web-1") is None
    assert list(found.episodes()) == []


def test_alerts_are_those_that_fire(store: Store) -> None:
    pending = replace(DISK, id=AlertId("CpuBusy", "web-1"), state=AlertState.PENDING, started_at=None)
    found = conditions(store, DISK, pending)
    assert found.firing("DiskFull", "web-1") is True
    assert found.firing("CpuBusy", "web-1") is False
    assert list(found.episodes()) == [("DiskFull", "web-1", NOW)]
    assert found.holds("alerts('severity=critical') == 0", "web-1") is False


def test_an_alert_about_the_fleet_fires_for_every_host(store: Store) -> None:
    everywhere = replace(DISK, id=AlertId("DiskFull"))
    assert conditions(store, everywhere).firing("DiskFull", "web-1") is True
    assert list(conditions(store, everywhere).episodes()) == []
