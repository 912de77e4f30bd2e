"""What people read of schedules."""

from __future__ import annotations

import json
from typing import Any

from reconciler.loops.scheduling.view import ScheduleView
from reconciler.model.scheduled import Decision, Held, Outcome, Suspension
from reconciler.model.schedules import RunOn, Trigger
from reconciler.model.work import WorkState
from reconciler.reports.schedules import schedules_json, schedules_text, times_text
from tests.unit.scheduling.moments import at, schedule

STARTED = Decision(at("01:00"), at("01:00"), at("01:00"), Outcome.STARTED, run="01K", hosts=("db-1", "db-2"))
MISSED = Decision(at("02:00"), at("05:00"), at("05:30"), Outcome.SKIPPED, "a later run took its place", hosts=("db-1",))
BROKEN = Decision(at("06:00"), at("06:00"), at("06:00"), Outcome.FAILED, "no such value", run="01L", hosts=("db-2",))


def view(name: str = "nightly", **fields: Any) -> ScheduleView:
    given = {"hosts": ("db-1", "db-2"), "next": at("07:00"), "suspension": None, "held": None, "recent": ()}
    made = fields.pop("schedule", schedule(name, timezone="Europe/Berlin"))
    return ScheduleView(name, made, **{**given, **fields})


def test_a_table_with_what_became_of_the_last_runs_below() -> None:
    states = (("db-1", WorkState.SUCCEEDED), ("db-2", WorkState.FAILED))
    every = schedule("night", every_seconds=5400)
    told = schedules_text(
        [view("night", schedule=every, recent=(BROKEN, MISSED, STARTED), last_states=states)], color=False
    )
    last = "2026-03-02 01:00:00Z 1 failed, 1 succeeded"
    assert told.splitlines() == [
        "SCHEDULE  JOB     WHEN         HOSTS          LAST                                        NEXT",
        f"night     backup  every 1h30m  db-1 and db-2  {last}  2026-03-02 07:00:00Z",
        "  2026-03-02 06:00:00Z failed on db-2: no such value",
        "  2026-03-02 02:00:00Z to 2026-03-02 05:00:00Z skipped on db-1: a later run took its place",
    ]
    assert "started on db-1 and db-2 01K" in schedules_text([view(recent=(STARTED,))], color=False, everything=True)


def test_what_waits_and_what_is_suspended_says_why() -> None:
    held = Held(at("06:00"), at("06:00"), "run 01K was still under way")
    assert "  2026-03-02 06:00:00Z waits: run 01K was still under way\n" in schedules_text(
        [view(held=held)], color=False
    )
    told = schedules_text([view(suspension=Suspension("ann@ops-1", at("00:30"), "migration"))], color=False)
    assert "never  suspended\n  suspended by ann@ops-1 at 2026-03-02 00:30:00Z: migration\n" in told


def test_conditions_and_single_hosts_are_named() -> None:
    waiting = schedule("cleanup", trigger=Trigger(expr="disk.percent > 90"), run_on=RunOn.ONE)
    told = schedules_text([view("cleanup", schedule=waiting, next=None)], color=False)
    assert "when disk.percent > 90  one of db-1 and db-2  never  -\n" in told
    assert times_text(waiting, []) == "cleanup is not due at any time: it waits for its condition.\n"


def test_no_schedules_are_told_too() -> None:
    assert schedules_text([], color=False) == "No schedules.\n"


def test_programs_get_all_of_it() -> None:
    (row,) = json.loads(schedules_json([view(recent=(MISSED,))]))["schedules"]
    assert (row["next"], row["suspended"], row["runOn"]) == ("2026-03-02T07:00:00Z", False, "each")
    assert row["recent"][0]["reason"] == "a later run took its place"
