"""What is judged from above: rules over the fleet, silent hosts that they count, and how the watch itself is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.alerting.evaluation import RULE_REMOVED, Seen
from reconciler.alerting.fleet_evaluation import FleetInput, evaluate_fleet
from reconciler.alerting.life import Truth
from reconciler.model.alerts import ActiveAlert, AlertId
from reconciler.model.monitoring import (
    DELETES_HELD,
    REDIS_MEMORY_SHORT,
    SOURCE_INVALID,
    SOURCE_STALE,
    Alert,
    AlertScope,
)
from tests.unit.alerting.rules import START, firing, rule

HOSTS = {f"web-{number}": {"role": "web"} for number in range(3)}
FRESH = dict.fromkeys(HOSTS, 1.0)


def fleet_rule(name: str, expr: str, **fields: object) -> Alert:
    return rule(name, expr, scope=AlertScope.FLEET, **fields)


@dataclass
class Above:
    """A monitor's turns, 5 s apart."""

    rules: list[Alert] = field(default_factory=list)
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alerts: Mapping[str, Mapping[AlertId, ActiveAlert]] = field(default_factory=dict)
    ages: Mapping[str, float | None] = field(default_factory=lambda: FRESH)
    watch: dict[str, Seen] = field(default_factory=dict)
    now: datetime = START
    active: Mapping[AlertId, ActiveAlert] = field(default_factory=dict)

    def turns(self, seconds: float = 5) -> str:
        for _ in range(int(seconds // 5)):
            self.now += timedelta(seconds=5)
            self.active = evaluate_fleet(self._given()).active
        return ", ".join(f"{alert.id} {alert.state.value}" for alert in self.active.values())

    def _given(self) -> FleetInput:
        return FleetInput(
            self.rules, lambda _: HOSTS, HOSTS, self.ages, self.values, self.alerts, self.active, self.now, 5, 5,
            watch=self.watch,
        )  # fmt: skip


def test_a_rule_over_the_fleet_fires_when_it_was_true_of_all_hosts_together_for_as_long_as_it_asks() -> None:
    above = Above([fleet_rule("Hot", "avg(cpu.percent) > 50", for_seconds=60)])
    above.values = {"web-0": {"cpu.percent": 90.0}, "web-1": {"cpu.percent": 20.0}}
    assert above.turns(60) == "Hot pending"
    assert above.turns() == "Hot firing"
    above.values = {"web-0": {"cpu.percent": 60.0}, "web-1": {"cpu.percent": 20.0}}
    assert above.turns() == "Hot resolved"


def test_one_over_all_filesystems_sees_each_of_them() -> None:
    above = Above([fleet_rule("Full", "count(filesystem.percent) == 3 and max(filesystem.percent) > 90")])
    above.values = {
        "web-0": {"filesystem.percent[/]": 10.0, "filesystem.percent[/var]": 95.0},
        "web-1": {"filesystem.percent[/]": 1.0},
    }
    assert above.turns() == "Full firing"


def test_it_counts_alerts_of_hosts_and_hosts_that_are_silent() -> None:
    above = Above([fleet_rule("Many", "alerts('alert=HostStale') >= 2"), fleet_rule("Busy", "alerts('role=x') > 0")])
    busy = firing("CpuBusy", "web-0", role="x")
    above.alerts = {"web-0": {busy.id: busy}}
    assert above.turns() == "Busy firing"
    above.ages = {"web-0": 1.0, "web-1": 100.0, "web-2": 100.0}
    above.turns(60)
    assert "Many" not in above.turns(0)
    assert "Many firing" in above.turns()


def test_a_monitor_that_was_stopped_in_the_middle_of_for_does_not_count_the_time_in_between() -> None:
    above = Above([fleet_rule("Hot", "avg(cpu.percent) > 50", for_seconds=60)], {"web-0": {"cpu.percent": 90.0}})
    above.turns(35)
    for jump in (timedelta(hours=1), -timedelta(hours=1)):
        above.now += jump
        assert above.turns() == "Hot pending"
    assert above.turns(25) == "Hot pending"
    assert above.turns() == "Hot firing"


def test_a_rule_that_was_removed_resolves_its_alert_with_that_reason() -> None:
    above = Above([fleet_rule("Hot", "avg(cpu.percent) > 50")], {"web-0": {"cpu.percent": 90.0}})
    above.turns()
    above.rules = []
    assert above.turns() == "Hot resolved"
    assert above.active[AlertId("Hot")].reason == RULE_REMOVED


def test_the_troubles_of_the_watch_are_alerts_of_their_own() -> None:
    above = Above()
    above.watch = {
        SOURCE_STALE: Seen(Truth(wrong=True, over=False), 1000.0),
        REDIS_MEMORY_SHORT: Seen(Truth(wrong=False, over=True), 0.1),
        DELETES_HELD: Seen(Truth(wrong=False, over=True), 0.0),
    }
    assert above.turns() == "SourceStale firing"
    alert = above.active[AlertId(SOURCE_STALE)]
    assert alert.summary == "git was in reach 17 minutes ago; its last revision stays in force"
    assert alert.labels == {"alert": "SourceStale", "severity": "critical"}
    above.watch = {}
    assert above.turns() == "SourceStale firing", "a watch that has just taken over does not know yet"
    above.watch = {SOURCE_STALE: Seen(Truth(wrong=False, over=True), 1.0)}
    assert above.turns() == "SourceStale resolved"


def test_what_is_followed_may_have_mistakes_for_a_minute_while_people_edit() -> None:
    above = Above(watch={SOURCE_INVALID: Seen(Truth(wrong=True, over=False), 1.0)})
    assert above.turns(60) == "SourceInvalid pending"
    assert above.turns() == "SourceInvalid firing"
