"""Who is told what, and when: a fleet's alerts along a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from reconciler.alerting.muting import Quiet, muted
from reconciler.alerting.routing import Group, GroupMemory, RoutingInput, route
from reconciler.model.alerts import Acknowledgement, ActiveAlert, AlertId, AlertState, Notification
from reconciler.model.manifests import Maintenance
from reconciler.model.monitoring import Channel
from reconciler.model.times import Weekly
from tests.unit.alerting.rules import START, channel, firing, silence


@dataclass
class Monitor:
    """Routes every 5 seconds what the test says fires."""

    channels: list[Channel]
    now: datetime = START
    alerts: dict[AlertId, ActiveAlert] = field(default_factory=dict)
    quiet: Quiet = field(default_factory=Quiet)
    acks: dict[AlertId, Acknowledgement] = field(default_factory=dict)
    memory: Mapping[Group, GroupMemory] = field(default_factory=dict)
    sent: list[Notification] = field(default_factory=list)

    def fires(self, *alerts: ActiveAlert) -> None:
        self.alerts |= {alert.id: replace(alert, since=self.now, started_at=self.now) for alert in alerts}

    def resolves(self, *alerts: ActiveAlert) -> None:
        for alert in alerts:
            self.alerts[alert.id] = replace(self.alerts[alert.id], state=AlertState.RESOLVED, since=self.now)

    def acknowledges(self, alert: ActiveAlert) -> None:
        self.acks[alert.id] = Acknowledgement("eva", self.now, started_at=self.alerts[alert.id].started_at)

    def passes(self, seconds: float) -> list[str]:
        """What is told meanwhile: `mail firing CpuBusy@web-1`."""
        told: list[Notification] = []
        for _ in range(int(seconds // 5)):
            self.now += timedelta(seconds=5)
            told += self.turn()
        return [said(it) for it in told]

    def turn(self) -> list[Notification]:
        mute = muted(self.alerts.values(), self.quiet, self.now)
        found = route(RoutingInput(self.alerts, self.channels, self.now, mute, self.acks, self.memory))
        self.memory = found.memory
        self.sent += found.notifications
        return list(found.notifications)


def said(it: Notification) -> str:
    names = (f"{alert.id}{'' if alert.state.told else ' over'}" for alert in it.alerts)
    return f"{it.channel} {it.told.value} {', '.join(names)}"


A, B, C = firing("CpuBusy", "web-1"), firing("CpuBusy", "web-2"), firing("DiskFull", "web-1", severity="critical")


def test_a_group_waits_for_more_and_is_told_once() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    assert monitor.passes(20) == []
    monitor.fires(B, C)
    assert monitor.passes(15) == ["mail firing CpuBusy@web-1, CpuBusy@web-2"]
    assert monitor.passes(3600) == ["mail firing DiskFull@web-1"]


def test_what_resolves_before_the_wait_ends_was_nothing() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(20)
    monitor.resolves(A)
    assert monitor.passes(3600) == []
    assert monitor.memory == {}


def test_its_end_is_told_where_its_beginning_was() -> None:
    monitor = Monitor([channel(), channel("chat", send_resolved=False), channel("pager", "severity=critical")])
    monitor.fires(A)
    assert monitor.passes(60) == ["chat firing CpuBusy@web-1", "mail firing CpuBusy@web-1"]
    monitor.resolves(A)
    assert monitor.passes(600) == ["mail resolved CpuBusy@web-1 over"]
    assert monitor.memory == {}


def test_news_of_a_group_wait_for_its_interval() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(40)
    monitor.fires(B)
    assert monitor.passes(280) == []
    assert monitor.passes(20) == ["mail firing CpuBusy@web-1, CpuBusy@web-2"]
    monitor.resolves(A)
    assert monitor.passes(310) == ["mail firing CpuBusy@web-2, CpuBusy@web-1 over"]


def test_what_still_fires_is_told_again_after_the_repeat_interval_with_another_id() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    assert monitor.passes(4 * 3600) == ["mail firing CpuBusy@web-1"]
    assert monitor.passes(60) == ["mail firing CpuBusy@web-1"]
    assert len({it.id for it in monitor.sent}) == 2


def test_an_acknowledged_alert_is_not_repeated_and_its_end_is_told() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.acknowledges(A)
    assert monitor.passes(9 * 3600) == []
    monitor.resolves(A)
    assert monitor.passes(300) == ["mail resolved CpuBusy@web-1 over"]
    monitor.fires(A)
    assert monitor.passes(60) == ["mail firing CpuBusy@web-1"]
    assert len(monitor.passes(5 * 3600)) == 1


def test_an_alert_that_ended_and_began_anew_between_two_messages_is_news() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.resolves(A)
    monitor.fires(A)
    assert monitor.passes(300) == ["mail firing CpuBusy@web-1"]


def test_escalation_goes_to_those_who_come_in_when_nobody_acknowledged() -> None:
    channels = [channel(), channel("boss", after_seconds=900, group_wait_seconds=0)]
    monitor, attended = Monitor(channels), Monitor(channels)
    for each in (monitor, attended):
        each.fires(A)
        assert each.passes(600) == ["mail firing CpuBusy@web-1"]
    attended.acknowledges(A)
    assert attended.passes(600) == []
    assert monitor.passes(300) == ["boss firing CpuBusy@web-1"]
    monitor.resolves(A)
    assert monitor.passes(600) == ["mail resolved CpuBusy@web-1 over", "boss resolved CpuBusy@web-1 over"]


def test_a_fallback_takes_what_no_other_takes() -> None:
    monitor = Monitor([channel("pager", "severity=critical"), channel("rest", fallback=True)])
    monitor.fires(A, C)
    assert monitor.passes(60) == ["pager firing DiskFull@web-1", "rest firing CpuBusy@web-1"]


DAYS = Weekly(frozenset(range(7)), ((time(8), time(13)),))


def test_outside_its_times_a_channel_waits_and_the_fallback_takes_over() -> None:
    monitor = Monitor([channel("day", active_times=(DAYS,)), channel("night", fallback=True)])
    monitor.fires(A)
    assert monitor.passes(60) == ["day firing CpuBusy@web-1"]
    assert monitor.passes(2 * 3600) == ["night firing CpuBusy@web-1"]
    monitor.fires(C)
    assert monitor.passes(60) == ["night firing DiskFull@web-1"]
    monitor.resolves(A)
    assert monitor.passes(3600) == ["night resolved CpuBusy@web-1 over"]
    morning = monitor.passes(20 * 3600)
    assert "day resolved CpuBusy@web-1 over" in morning
    assert "day firing DiskFull@web-1" in morning


def test_a_channel_that_was_closed_is_not_told_of_what_is_over_when_it_opens() -> None:
    monitor = Monitor([channel("day", active_times=(DAYS,))])
    monitor.passes(2 * 3600)
    monitor.fires(A)
    monitor.passes(3600)
    monitor.resolves(A)
    assert monitor.passes(24 * 3600) == []


def test_a_silence_keeps_it_quiet_while_it_lasts() -> None:
    monitor = Monitor([channel()], quiet=Quiet([silence("host=web-1", end=START + timedelta(hours=1))]))
    monitor.fires(A, B)
    assert monitor.passes(60) == ["mail firing CpuBusy@web-2"]
    assert monitor.passes(3600) == ["mail firing CpuBusy@web-1, CpuBusy@web-2"]


def test_the_end_of_what_was_told_is_told_also_under_a_silence() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.quiet = Quiet([silence("host=web-1")])
    assert monitor.passes(9 * 3600) == []
    monitor.resolves(A)
    assert monitor.passes(60) == ["mail resolved CpuBusy@web-1 over"]


def test_a_host_in_maintenance_is_quiet() -> None:
    until = START + timedelta(hours=1)
    monitor = Monitor([channel()], quiet=Quiet(maintenance={"web-1": Maintenance(until, "disk swap")}))
    monitor.fires(A)
    assert monitor.passes(3500) == []
    assert monitor.passes(200) == ["mail firing CpuBusy@web-1"]


def test_an_alert_inhibits_others_of_its_host_only() -> None:
    monitor = Monitor([channel()], quiet=Quiet(inhibits={"DiskFull": ["CpuBusy"]}))
    monitor.fires(A, B, C)
    assert monitor.passes(60) == ["mail firing CpuBusy@web-2", "mail firing DiskFull@web-1"]


def test_a_stale_host_inhibits_all_its_other_alerts() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A, C, firing("HostStale", "web-1"))
    assert monitor.passes(60) == ["mail firing HostStale@web-1"]


def test_a_hundred_hosts_that_go_stale_at_once_are_one_message_whoever_groups_by_host() -> None:
    monitor = Monitor([channel(), channel("each", group_by=("host",))])
    monitor.fires(*(firing("HostStale", f"web-{number}") for number in range(100)))
    monitor.passes(3600)
    assert [(it.channel, len(it.alerts)) for it in monitor.sent] == [("each", 100), ("mail", 100)]


def test_alerts_are_grouped_by_the_labels_of_the_channel() -> None:
    monitor = Monitor([channel(group_by=("zone", "host"))])
    monitor.fires(firing("A", "web-1", zone="a"), firing("B", "web-1", zone="a"), firing("A", "web-2", zone="a"))
    monitor.passes(60)
    assert [it.group for it in monitor.sent] == [{"zone": "a", "host": "web-1"}, {"zone": "a", "host": "web-2"}]


def test_an_alert_that_nobody_reports_any_more_is_over() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.alerts.clear()
    assert monitor.passes(300) == ["mail resolved CpuBusy@web-1 over"]
    assert monitor.sent[-1].alerts[0].reason == "it is no longer reported"


def test_two_monitors_with_the_same_memory_say_the_same_under_the_same_id() -> None:
    one = Monitor([channel()])
    one.fires(A, B)
    one.passes(30)
    other = replace(one, now=one.now + timedelta(seconds=2), sent=[])
    one.passes(5)
    other.passes(5)
    assert [it.id for it in one.sent] == [it.id for it in other.sent] != []


def test_a_clock_that_is_set_back_holds_nothing_up_for_that_long() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.now -= timedelta(hours=1)
    monitor.fires(B)
    assert monitor.passes(310)[0] == "mail firing CpuBusy@web-1, CpuBusy@web-2"


def test_a_clock_that_jumps_ahead_tells_sooner_and_nothing_twice() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.now += timedelta(hours=1)
    assert monitor.passes(60) == ["mail firing CpuBusy@web-1"]
    monitor.fires(B)
    monitor.now += timedelta(hours=1)
    assert monitor.passes(60) == ["mail firing CpuBusy@web-1, CpuBusy@web-2"]
    monitor.resolves(A, B)
    monitor.now += timedelta(hours=1)
    assert monitor.passes(60) == ["mail resolved CpuBusy@web-1 over, CpuBusy@web-2 over"]


def test_the_memory_of_a_channel_that_left_the_manifests_is_dropped() -> None:
    monitor = Monitor([channel()])
    monitor.fires(A)
    monitor.passes(60)
    monitor.channels = []
    monitor.turn()
    assert monitor.memory == {}
