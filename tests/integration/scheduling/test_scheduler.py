"""Schedules as an ops server carries them out: what is enqueued when, and what is remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.errors import Unavailable
from reconciler.model.manifests import Lifecycle
from reconciler.model.monitoring import Alert, AlertRun
from reconciler.model.scheduled import Suspension
from reconciler.model.schedules import CatchUp, Concurrency, RunOn, Trigger
from reconciler.model.work import WorkState
from reconciler.store import Store
from tests.integration.scheduling.conftest import HOSTS, Ops, maintenance, named
from tests.unit.scheduling.moments import MIDNIGHT, at, schedule


def test_a_schedule_runs_on_each_of_its_hosts_from_the_next_time_on(ops: Ops) -> None:
    ops.show(schedule())
    ops.look("00:30")
    assert ops.orders == []
    ops.look("01:00")
    assert [(order.hosts, order.reason) for order in ops.orders] == [
        (("web-1", "web-2"), "schedule nightly, 2026-03-02 01:00:00 UTC")
    ]
    ops.look("01:30")
    assert len(ops.orders) == 1
    assert ops.told() == [("started", "")]


def test_nothing_of_the_past_is_started_when_a_schedule_is_new(ops: Ops) -> None:
    ops.show(schedule(at=at("01:00")))
    ops.look("01:01")
    ops.look("02:00")
    assert ops.orders == []


def test_an_outage_is_made_up_for_by_whoever_leads_next(ops: Ops) -> None:
    ops.show(schedule())
    ops.look("00:30")
    ops.restart()
    ops.show(schedule())
    ops.look("3 00:30")
    assert ops.runs() == ["2026-03-05 00:00:00 UTC"]
    assert ops.told() == [("started", ""), ("skipped", "a later run took its place")]


def test_all_runs_of_an_outage_come_one_after_the_other(ops: Ops) -> None:
    ops.show(schedule(catch_up=CatchUp.ALL))
    ops.look("00:30")
    for minute in range(20):
        ops.look(at("3 00:30") + timedelta(minutes=minute))
        ops.finish()
    assert ops.runs()[:3] == ["2026-03-02 01:00:00 UTC", "2026-03-02 02:00:00 UTC", "2026-03-02 03:00:00 UTC"]
    assert len(ops.runs()) == len(set(ops.runs())) == 20


def test_after_an_emptied_redis_everything_starts_from_now(ops: Ops, store: Store) -> None:
    ops.show(schedule())
    ops.look("00:30")
    store._opened.link.send("FLUSHALL")
    ops.restart()
    ops.show(schedule())
    ops.look("3 00:30")
    assert ops.orders == []
    ops.look("3 01:00")
    assert ops.runs() == ["2026-03-05 01:00:00 UTC"]


def test_two_leaders_at_once_start_each_run_once(ops: Ops, store: Store) -> None:
    other = Ops(store)
    minutes = schedule(cron="*/5 * * * *", concurrency=Concurrency.ALLOW, run_on=RunOn.ONE)
    for each in (ops, other):
        each.show(minutes)
        each.look("00:01")
    for minute in range(2, 32):
        for each in (ops, other) if minute % 3 else (other, ops):
            each.look(at("00:00") + timedelta(minutes=minute))
    made = [work.id for host in ("web-1", "web-2") for work in store.work.list(host)]
    assert len(made) == len(set(made)) == 6
    assert len(ops.told()) == 6


def test_a_run_that_was_decided_on_is_started_by_the_next_one(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    ops.show(schedule(run_on=RunOn.ONE))
    ops.look("00:30")

    def dies(*_: Any) -> None:
        raise Unavailable.of("redis-unreachable", "gone")

    with monkeypatch.context() as patched:
        patched.setattr(ops.store.work, "enqueue", dies)
        with pytest.raises(Unavailable):
            ops.look("01:00")
    ops.restart()
    ops.show(schedule(run_on=RunOn.ONE))
    ops.look("04:00")
    started = [order for order in ops.orders if "01:00:00" in order.reason]
    assert len({order.id for order in started}) == 1
    assert len({order.hosts for order in started}) == 1
    assert len([work for host in ("web-1", "web-2") for work in ops.store.work.list(host)]) == 1


def test_redis_that_is_away_for_a_turn_loses_no_run(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    ops.show(schedule())
    ops.look("00:30")

    def away(*_: Any) -> None:
        raise Unavailable.of("redis-unreachable", "gone")

    with monkeypatch.context() as patched:
        patched.setattr(ops.store.schedules, "write", away)
        with pytest.raises(Unavailable):
            ops.look("01:00")
    ops.look("01:01")
    assert ops.runs() == ["2026-03-02 01:00:00 UTC"]


def test_who_does_not_lead_starts_nothing_and_knows_afterwards_what_others_did(ops: Ops, store: Store) -> None:
    other = Ops(store, leads=False)
    for each in (ops, other):
        each.show(schedule())
        each.look("00:30")
    ops.look("01:00")
    other.look("01:00")
    ops.leads, other.leads = False, True
    ops.finish()
    other.look("02:00")
    ops.look("02:00")
    assert (ops.runs(), other.runs()) == (["2026-03-02 01:00:00 UTC"], ["2026-03-02 02:00:00 UTC"])


def test_a_run_under_way_forbids_the_next_one_on_its_host_alone(ops: Ops) -> None:
    ops.show(schedule(cron="*/5 * * * *"))
    ops.look("00:01")
    ops.look("00:05")
    ops.store.work.cancel("web-2", ops.orders[0].id)
    ops.look("00:10")
    assert (len(ops.runs("web-1")), len(ops.runs("web-2"))) == (1, 2)
    ops.finish()
    ops.look("00:11")
    assert len(ops.runs("web-1")) == 2


def test_replacing_ends_the_run_before_which_says_so(ops: Ops) -> None:
    ops.show(schedule(concurrency=Concurrency.REPLACE))
    ops.look("00:30")
    ops.look("01:00")
    ops.look("02:00")
    first, second = ops.orders
    assert ops.store.work.states([("web-1", first.id), ("web-1", second.id)]) == [
        WorkState.SUPERSEDED,
        WorkState.QUEUED,
    ]


def test_hosts_start_spread_over_the_jitter_under_one_id(ops: Ops) -> None:
    hosts = [f"web-{number}" for number in range(1, 9)]
    ops.show(schedule(jitter_seconds=1800), hosts=hosts)
    ops.look("00:30")
    for minute in range(31):
        ops.look(at("01:00") + timedelta(minutes=minute))
    assert len(ops.orders) > 3
    assert len({order.id for order in ops.orders}) == 1
    assert sorted(host for order in ops.orders for host in order.hosts) == hosts


def test_one_of_the_hosts_that_is_well_runs_it_another_one_from_time_to_time(ops: Ops) -> None:
    ops.show(schedule(run_on=RunOn.ONE))
    ops.look("00:30")
    for hour in range(1, 21):
        ops.look(at("00:00") + timedelta(hours=hour))
        ops.finish()
    assert {len(order.hosts) for order in ops.orders} == {1}
    assert {host for order in ops.orders for host in order.hosts} == {"web-1", "web-2"}


def test_a_host_in_maintenance_or_out_of_reach_is_not_the_one(ops: Ops) -> None:
    ops.store.observed.write_unreachable("web-2", "no route to host")
    ops.show(schedule(run_on=RunOn.ONE, starting_deadline_seconds=60), web_1=maintenance("05:30"))
    ops.look("00:30")
    ops.look("01:00")
    ops.look("01:02")
    assert ops.orders == []
    assert ops.told() == [("skipped", "none of its hosts was well, up to its startingDeadline")]
    ops.look("06:00")
    assert ops.orders[0].hosts == ("web-1",)


def test_what_people_suspend_is_skipped_with_who_and_why(ops: Ops) -> None:
    ops.show(schedule())
    ops.look("00:30")
    ops.store.schedules.suspend("nightly", Suspension("ann@ops-1", at("00:40"), "migration"))
    ops.look("01:00")
    ops.look("02:00")
    assert ops.told() == [("skipped", "suspended by ann@ops-1: migration")]
    assert ops.store.schedules.resume("nightly")
    ops.look("02:30")
    assert ops.orders == []
    ops.look("03:00")
    assert ops.runs() == ["2026-03-02 03:00:00 UTC"]


def test_a_new_host_starts_with_the_next_run_and_a_gone_one_is_forgotten(ops: Ops) -> None:
    ops.show(schedule(), hosts=["web-1"])
    ops.look("00:30")
    ops.look("01:00")
    ops.finish()
    ops.show(schedule(), hosts=["web-2"])
    ops.look("01:05")
    ops.look("02:00")
    assert [order.hosts for order in ops.orders] == [("web-1",), ("web-2",)]


def test_a_host_that_is_retired_gets_no_more_runs(ops: Ops) -> None:
    ops.show(schedule())
    ops.look("00:30")
    ops.show(schedule(), web_2={"lifecycle": Lifecycle.RETIRE})
    ops.look("01:00")
    assert {host for order in ops.orders for host in order.hosts} == set(HOSTS) - {"web-2"}


def test_an_edited_time_starts_nothing_of_the_past(ops: Ops) -> None:
    ops.show(schedule(cron="0 5 * * *"))
    ops.look("00:30")
    ops.show(schedule(cron="*/10 * * * *"))
    ops.look("02:35")
    assert ops.orders == []
    ops.look("02:40")
    assert ops.runs() == ["2026-03-02 02:40:00 UTC"]


def test_what_is_wrong_with_one_host_is_told_and_keeps_no_other_waiting(ops: Ops) -> None:
    ops.broken.add("web-1")
    ops.show(schedule())
    ops.look("00:30")
    ops.look("01:00")
    assert [order.hosts for order in ops.orders] == [("web-2",)]
    assert ("failed", "no such value") in ops.told()
    assert ops.scheduler.tick() is False


def test_a_trigger_starts_on_the_host_whose_condition_turns_true(ops: Ops) -> None:
    ops.show(schedule(trigger=Trigger(expr="cpu.percent > 90")))
    ops.known.truths = {("cpu.percent > 90", "web-1"): False, ("cpu.percent > 90", "web-2"): True}
    ops.look("00:30")
    ops.look("00:31")
    ops.known.truths["cpu.percent > 90", "web-1"] = True
    ops.look("00:32")
    ops.restart()
    ops.show(schedule(trigger=Trigger(expr="cpu.percent > 90")))
    ops.look("00:33")
    assert [order.hosts for order in ops.orders] == [("web-1",)]


CLEANUP = Alert(named("DiskFull"), "disk.percent > 90", "full", run=AlertRun("backup", {}, 900, 3))


def test_an_alert_that_begins_to_fire_starts_its_job_on_its_host_once(ops: Ops) -> None:
    ops.show(alerts=[CLEANUP])
    ops.look("00:30")
    ops.known.alerts = {("DiskFull", "web-1"): at("00:31"), ("Other", "web-2"): at("00:31")}
    for when in ("00:32", "00:33", "09:00"):
        ops.look(when)
        ops.restart()
        ops.show(alerts=[CLEANUP])
    assert [(order.hosts, order.by) for order in ops.orders] == [(("web-1",), "alert DiskFull")]


def test_an_alert_that_fires_already_when_its_job_is_new_starts_nothing(ops: Ops) -> None:
    ops.known.alerts = {("DiskFull", "web-1"): at("00:29")}
    ops.show(alerts=[CLEANUP])
    ops.look("00:30")
    ops.look("00:31")
    assert ops.orders == []


def test_an_alert_starts_its_job_no_oftener_than_its_limits_say(ops: Ops) -> None:
    ops.show(alerts=[CLEANUP])
    ops.look("00:20")
    for when in ("00:30", "00:40", "00:50"):
        ops.known.alerts = {("DiskFull", "web-1"): at(when)}
        ops.look(when)
        ops.finish()
    assert ops.runs() == ["2026-03-02 00:30:00 UTC", "2026-03-02 00:50:00 UTC"]
    assert ("skipped", "within the cooldown after 00:30:00 UTC") in ops.told("alert:DiskFull")


def test_a_host_that_lies_about_when_its_alert_began_gets_no_more_runs_for_it(ops: Ops) -> None:
    ops.show(alerts=[CLEANUP])
    ops.look("00:20")
    for minute in range(30, 50):
        now = MIDNIGHT + timedelta(minutes=minute)
        ops.known.alerts = {("DiskFull", "web-1"): now - timedelta(minutes=9)}
        ops.look(now)
        ops.known.alerts = {("DiskFull", "web-1"): now + timedelta(days=minute)}
        ops.look(now + timedelta(seconds=10))
        ops.finish()
    assert len(ops.runs()) == 2


def test_the_job_of_an_alert_waits_for_its_last_run(ops: Ops) -> None:
    ops.show(alerts=[CLEANUP])
    ops.look("00:20")
    ops.known.alerts = {("DiskFull", "web-1"): at("00:30")}
    ops.look("00:30")
    ops.known.alerts = {("DiskFull", "web-1"): at("00:50")}
    for when in ("00:50", "00:51", "00:52"):
        ops.look(when)
    assert len(ops.runs()) == 1
    ops.finish()
    ops.look("00:53")
    assert ops.runs() == ["2026-03-02 00:30:00 UTC", "2026-03-02 00:50:00 UTC"]


def test_alerts_without_a_host_of_the_fleet_start_nothing(ops: Ops) -> None:
    ops.show(alerts=[CLEANUP])
    ops.look("00:20")
    ops.known.alerts = {("DiskFull", "gone-1"): at("00:30")}
    ops.look("00:30")
    assert ops.orders == []


def test_a_schedule_can_wait_for_an_alert(ops: Ops) -> None:
    waiting = schedule(trigger=Trigger(alert="DiskFull", for_seconds=60))
    ops.show(waiting)
    ops.known.truths = {("DiskFull", host): False for host in HOSTS}
    ops.look("00:30")
    ops.known.truths["DiskFull", "web-2"] = True
    ops.look("00:31")
    ops.look("00:33")
    assert [order.hosts for order in ops.orders] == [("web-2",)]


def test_a_gate_holds_back_the_host_for_which_it_does_not_hold(ops: Ops) -> None:
    ops.known.truths = {("cpu.percent < 50", "web-1"): False, ("cpu.percent < 50", "web-2"): True}
    ops.show(schedule(gate="cpu.percent < 50"))
    ops.look("00:30")
    ops.look("01:00")
    assert [order.hosts for order in ops.orders] == [("web-2",)]
    ops.known.truths["cpu.percent < 50", "web-1"] = True
    ops.look("01:05")
    assert [order.hosts for order in ops.orders] == [("web-2",), ("web-1",)]
    assert len({order.id for order in ops.orders}) == 1
