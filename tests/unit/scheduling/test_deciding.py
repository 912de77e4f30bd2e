"""What becomes of runs that are due, told as timelines: someone looks now and then, and each look decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.scheduled import Occurrence, Progress
from reconciler.model.schedules import CatchUp, Concurrency, Schedule, Trigger
from reconciler.scheduling.conditions import Truth
from reconciler.scheduling.deciding import Circumstances, Verdict, step
from reconciler.scheduling.timing import timing_of, upcoming
from tests.unit.scheduling.moments import MIDNIGHT, at, schedule


@dataclass
class Timeline:
    """A schedule on one host, and what was decided so far."""

    schedule: Schedule
    progress: Progress = field(default_factory=lambda: Progress(watermark=MIDNIGHT))
    started: list[datetime] = field(default_factory=list)
    skipped: list[tuple[datetime, datetime, str]] = field(default_factory=list)

    def look(self, when: str | datetime, **circumstances: Any) -> Timeline:
        """Look once, until nothing more is to be decided."""
        now = at(when) if isinstance(when, str) else when
        given = Circumstances(now, **circumstances)
        timing = timing_of(self.schedule)
        while True:
            made = step(self.schedule, timing, self.progress, given)
            self.skipped += [(each.first, each.last, each.reason) for each in made.skipped]
            self.progress = made.progress
            given = replace(given, condition=None)
            if made.starts and made.nominal:
                self.started.append(made.nominal)
                self.progress = replace(self.progress, last=Occurrence(made.nominal, "web-1", "01"))
            if made.nominal is None or made.judged.verdict is Verdict.HOLD:
                return self

    @property
    def reasons(self) -> list[str]:
        return [reason for _, _, reason in self.skipped]


def test_a_run_that_is_due_is_started_once() -> None:
    timeline = Timeline(schedule()).look("00:59").look("01:00").look("01:00").look("01:01")
    assert timeline.started == [at("01:00")]
    assert timeline.skipped == []


def test_an_outage_of_three_days_makes_up_for_the_latest_run() -> None:
    timeline = Timeline(schedule()).look("3 00:30")
    assert timeline.started == [at("3 00:00")]
    assert timeline.skipped == [(at("01:00"), at("2 23:00"), "a later run took its place")]


def test_an_outage_of_three_days_makes_up_for_nothing_where_nothing_is_to_be() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.NONE)).look("3 00:30")
    assert timeline.started == []
    assert timeline.skipped == [(at("01:00"), at("3 00:00"), "nobody was there to start it in time (catchUp: none)")]


def test_an_outage_of_three_days_makes_up_for_all_72_runs_in_order() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.ALL, concurrency=Concurrency.ALLOW)).look("3 00:30")
    assert timeline.started == [MIDNIGHT + timedelta(hours=hour) for hour in range(1, 73)]
    assert timeline.skipped == []


def test_of_more_than_100_the_newest_are_made_up_for() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.ALL, concurrency=Concurrency.ALLOW)).look("30 00:30")
    assert len(timeline.started) == 100
    assert timeline.started[-1] == at("30 00:00")
    assert timeline.skipped == [(at("01:00"), timeline.started[0] - timedelta(hours=1), "more than 100 were missed")]


def test_a_leader_that_was_away_for_less_than_the_deadline_has_missed_nothing() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.NONE)).look("01:09")
    assert timeline.started == [at("01:00")]


@pytest.mark.parametrize("catch_up", list(CatchUp))
def test_a_clock_that_jumps_back_an_hour_doubles_nothing_and_ahead_loses_nothing(catch_up: CatchUp) -> None:
    timeline = Timeline(schedule(cron="*/10 * * * *", catch_up=catch_up, concurrency=Concurrency.ALLOW))
    for now in ("00:10", "00:20", "01:20", "00:20", "00:30", "01:20", "01:30"):
        timeline.look(now)
    assert timeline.started == sorted(set(timeline.started))
    assert {at("00:10"), at("00:20"), at("01:20"), at("01:30")} <= set(timeline.started)
    assert covered(timeline) == [MIDNIGHT + timedelta(minutes=10 * number) for number in range(1, 10)]


def test_a_run_waits_while_the_one_before_goes_on_and_starts_then() -> None:
    timeline = Timeline(schedule(cron="*/10 * * * *"))
    timeline.look("00:10").look("00:20", under_way="01").look("00:25", under_way="01").look("00:26")
    assert timeline.started == [at("00:10"), at("00:20")]


def test_of_runs_that_wait_only_the_latest_is_kept() -> None:
    timeline = Timeline(schedule(cron="*/10 * * * *", starting_deadline_seconds=3600))
    timeline.look("00:20", under_way="01").look("00:30", under_way="01").look("00:31")
    assert timeline.started == [at("00:30")]
    assert timeline.reasons == [
        "a later run took its place",
        "run 01 was still under way; a later run took its place",
    ]


def test_a_run_that_could_not_start_by_its_deadline_is_skipped_with_the_reason() -> None:
    timeline = Timeline(schedule())
    timeline.look("01:00", under_way="01").look("01:09", under_way="01").look("01:10", under_way="01").look("01:20")
    assert timeline.started == []
    assert timeline.reasons == ["run 01 was still under way, up to its startingDeadline"]


def test_all_missed_runs_wait_for_each_other_however_long_they_take() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.ALL))
    timeline.look("03:30").look("03:31", under_way="01").look("05:30", under_way="01").look("06:30")
    assert timeline.started[:2] == [at("01:00"), at("02:00")]
    assert timeline.skipped == []


def test_replacing_starts_at_once_and_says_so() -> None:
    replacing = schedule(concurrency=Concurrency.REPLACE)
    made = step(replacing, timing_of(replacing), Progress(MIDNIGHT), Circumstances(at("01:00"), under_way="01"))
    assert made.judged.verdict is Verdict.REPLACE


def test_allowing_starts_beside_the_run_before() -> None:
    timeline = Timeline(schedule(concurrency=Concurrency.ALLOW)).look("01:00").look("02:00", under_way="01")
    assert timeline.started == [at("01:00"), at("02:00")]


@pytest.mark.parametrize(("gate", "reason"), [(False, "its gate did not hold"), (None, "its gate was not known")])
def test_a_gate_is_looked_at_again_until_the_deadline(gate: Truth, reason: str) -> None:
    assert Timeline(schedule()).look("01:00", gate=gate).look("01:05", gate=True).started == [at("01:00")]
    late = Timeline(schedule()).look("01:00", gate=gate).look("01:10", gate=gate).look("01:11", gate=True)
    assert late.started == []
    assert late.reasons == [f"{reason}, up to its startingDeadline"]


def test_what_is_suspended_is_skipped_and_not_made_up_for() -> None:
    timeline = Timeline(schedule(catch_up=CatchUp.ALL)).look("01:00", suspended="suspended by ann").look("02:00")
    assert timeline.started == [at("02:00")]
    assert timeline.reasons == ["suspended by ann"]


def test_jitter_moves_the_start_and_never_the_nominal_time() -> None:
    timeline = Timeline(schedule(jitter_seconds=1800))
    timeline.look("01:00", offset=timedelta(minutes=20)).look("01:20", offset=timedelta(minutes=20))
    assert timeline.started == [at("01:00")]


def test_a_jitter_longer_than_the_period_starves_no_run() -> None:
    timeline = Timeline(schedule(cron="*/10 * * * *", jitter_seconds=3600, concurrency=Concurrency.ALLOW))
    for minute in range(180):
        timeline.look(MIDNIGHT + timedelta(minutes=minute), offset=timedelta(minutes=55))
    assert len(timeline.started) == 12
    assert timeline.skipped == []


def triggered(**limits: Any) -> Timeline:
    return Timeline(schedule(trigger=Trigger(expr="cpu.percent > 90", **limits), concurrency=Concurrency.ALLOW))


def test_a_trigger_fires_when_its_condition_turns_true_and_not_while_it_stays_so() -> None:
    timeline = triggered().look("01:00", condition=False).look("01:01", condition=True).look("01:02", condition=True)
    assert timeline.started == [at("01:01")]


def test_a_condition_that_becomes_known_as_true_has_not_turned_true() -> None:
    assert triggered().look("01:00", condition=None).look("01:01", condition=True).started == []


def test_a_stale_condition_keeps_its_last_value() -> None:
    timeline = triggered().look("01:00", condition=True).look("01:01", condition=None).look("01:02", condition=True)
    assert timeline.started == []
    timeline.look("01:03", condition=False).look("01:04", condition=None).look("01:05", condition=True)
    assert timeline.started == [at("01:05")]


def test_a_condition_has_to_hold_for_its_time() -> None:
    timeline = triggered(for_seconds=300).look("01:00", condition=False).look("01:01", condition=True)
    timeline.look("01:04", condition=False).look("01:05", condition=True).look("01:09", condition=None)
    assert timeline.started == []
    assert timeline.look("01:10", condition=True).started == [at("01:10")]


def test_cooldown_and_cap_skip_with_their_reason() -> None:
    timeline = triggered(cooldown_seconds=300, max_per_hour=2)
    for minute in (1, 3, 10, 20, 70):
        timeline.look(MIDNIGHT + timedelta(minutes=minute), condition=False)
        timeline.look(MIDNIGHT + timedelta(minutes=minute, seconds=30), condition=True)
    assert [f"{moment:%H:%M:%S}" for moment in timeline.started] == ["00:01:30", "00:10:30", "01:10:30"]
    assert timeline.reasons == [
        "within the cooldown after 00:01:30 UTC",
        "2 runs were started within an hour (maxPerHour)",
    ]


def test_a_triggered_run_waits_for_its_gate_too() -> None:
    timeline = triggered().look("01:00", condition=False).look("01:01", condition=True, gate=False)
    assert timeline.started == []
    assert timeline.look("01:05", condition=False, gate=True).started == [at("01:01")]


def covered(timeline: Timeline) -> list[datetime]:
    """Every nominal time that was decided on."""
    timing = timing_of(timeline.schedule)
    assert timing is not None
    return sorted([*timeline.started, *(moment for row in timeline.skipped for moment in _row(timeline, *row[:2]))])


def _row(timeline: Timeline, first: datetime, last: datetime) -> Iterable[datetime]:
    timing = timing_of(timeline.schedule)
    assert timing is not None
    for moment in upcoming(timing, first - timedelta(microseconds=1)):
        if moment > last:
            return
        yield moment


looks = st.lists(st.tuples(st.integers(1, 1_500), st.booleans(), st.booleans()), min_size=1, max_size=8)
"""Minutes since the last look, a day and more than 100 times of the densest schedule among them, and what it finds."""


@given(
    looks,
    st.sampled_from(list(CatchUp)),
    st.sampled_from(list(Concurrency)),
    st.sampled_from(["*/10 * * * *", "7 * * * *", "0 0 * * *"]),
)
def test_no_nominal_time_is_lost_or_doubled_whenever_one_looks(
    given_looks: list[tuple[int, bool, bool]], catch_up: CatchUp, concurrency: Concurrency, cron: str
) -> None:
    timeline = Timeline(schedule(cron=cron, catch_up=catch_up, concurrency=concurrency))
    now = MIDNIGHT
    for minutes, busy, suspended in given_looks:
        now += timedelta(minutes=minutes)
        timeline.look(now, under_way="01" if busy else "", suspended="suspended" if suspended else "")
    timing = timing_of(timeline.schedule)
    assert timing is not None
    end = timeline.progress.watermark
    expected = list(_row(timeline, MIDNIGHT + timedelta(minutes=1), end)) if end > MIDNIGHT else []
    assert covered(timeline) == expected
    assert all(first < second for first, second in pairwise(timeline.started))


@given(looks)
def test_after_an_outage_latest_starts_at_most_one_run_and_none_only_what_is_in_time(
    given_looks: list[tuple[int, bool, bool]],
) -> None:
    latest, none = (Timeline(schedule(cron="*/10 * * * *", catch_up=each)) for each in (CatchUp.LATEST, CatchUp.NONE))
    now = MIDNIGHT
    for minutes, _, _ in given_looks:
        now += timedelta(minutes=minutes)
        before = len(latest.started), len(none.started)
        latest.look(now)
        none.look(now)
        assert len(latest.started) - before[0] <= 1
        assert all(now - moment <= timedelta(minutes=10) for moment in none.started[before[1] :])
