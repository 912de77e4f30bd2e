"""HostStale: hosts whose samples stopped coming."""

from __future__ import annotations

from datetime import timedelta

from reconciler.alerting.staleness import LEFT, stale_hosts
from reconciler.model.alerts import ActiveAlert, AlertId
from tests.unit.alerting.rules import START

HOSTS = {"web-1": {"zone": "a"}, "web-2": {}}


class Sweeps:
    """The monitor's sweeps, 5 s apart."""

    def __init__(self) -> None:
        self.now = START
        self.active: dict[AlertId, ActiveAlert] = {}

    def sweep(self, seconds: float = 5, *, sure: bool = True, hosts: object = None, **ages: float | None) -> str:
        for _ in range(int(seconds // 5)):
            self.now += timedelta(seconds=5)
            known = {name.replace("_", "-"): age for name, age in ages.items()}
            fleet = HOSTS if hosts is None else {}
            found = stale_hosts(fleet, known, self.active, self.now, interval_seconds=5, sure=sure)
            self.active = dict(found.active)
        return ", ".join(f"{alert.id} {alert.state.value}" for alert in self.active.values())


def test_a_host_fires_when_it_was_silent_for_the_stale_window_and_then_a_minute() -> None:
    monitor = Sweeps()
    assert monitor.sweep(web_1=29, web_2=1) == ""
    assert monitor.sweep(60, web_1=31, web_2=1) == "HostStale@web-1 pending"
    assert monitor.sweep(web_1=91, web_2=1) == "HostStale@web-1 firing"
    (alert,) = monitor.active.values()
    assert alert.labels == {"zone": "a", "alert": "HostStale", "severity": "critical", "host": "web-1"}


def test_it_resolves_as_soon_as_the_host_is_back() -> None:
    monitor = Sweeps()
    monitor.sweep(70, web_1=100)
    assert monitor.sweep(web_1=1) == "HostStale@web-1 resolved"


def test_a_host_that_never_sent_a_sample_is_not_stale() -> None:
    assert Sweeps().sweep(600, web_1=None) == ""


def test_while_the_monitor_was_away_itself_old_samples_prove_nothing() -> None:
    monitor = Sweeps()
    assert monitor.sweep(600, sure=False, web_1=600, web_2=600) == ""
    monitor.sweep(70, web_1=100)
    assert monitor.sweep(600, sure=False, web_1=600) == "HostStale@web-1 firing"


def test_a_host_that_leaves_the_fleet_is_no_longer_stale() -> None:
    monitor = Sweeps()
    monitor.sweep(70, web_1=100)
    assert monitor.sweep(hosts="none") == "HostStale@web-1 resolved"
    (alert,) = monitor.active.values()
    assert alert.reason == LEFT
