"""Cron lines, against what the clocks of four zones really did: written down from cron(8) and the zones' histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InvalidInput
from reconciler.scheduling.cron import Cron
from reconciler.scheduling.timing import upcoming
from tests.unit.scheduling.moments import at

LOS_ANGELES, LORD_HOWE, SAO_PAULO, TEHRAN = (
    "America/Los_Angeles", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tehran",
)  # fmt: skip

TRUTH = {
    "Los Angeles forward, 02:00 to 03:00: a fixed time in the gap runs right after it": (
        "30 2 * * *", LOS_ANGELES, "2026-03-07T12:00-08:00",
        ["03-08 03:00 -0700", "03-09 02:30 -0700"],
    ),
    "Los Angeles forward: two fixed times in the gap are one run": (
        "0,30 2 * * *", LOS_ANGELES, "2026-03-08T00:00-08:00",
        ["03-08 03:00 -0700", "03-09 02:00 -0700", "03-09 02:30 -0700"],
    ),
    "Los Angeles forward: a fixed time right after the gap and one in it are one run": (
        "0 2,3 * * *", LOS_ANGELES, "2026-03-08T00:00-08:00",
        ["03-08 03:00 -0700", "03-09 02:00 -0700"],
    ),
    "Los Angeles forward: every half hour goes on after half an hour": (
        "*/30 * * * *", LOS_ANGELES, "2026-03-08T01:15-08:00",
        ["03-08 01:30 -0800", "03-08 03:00 -0700", "03-08 03:30 -0700"],
    ),
    "Los Angeles back, 02:00 to 01:00: a fixed time in the repeated hour runs the first time": (
        "30 1 * * *", LOS_ANGELES, "2026-11-01T00:00-07:00",
        ["11-01 01:30 -0700", "11-02 01:30 -0800"],
    ),
    "Los Angeles back: every half hour runs in both hours": (
        "*/30 * * * *", LOS_ANGELES, "2026-11-01T00:45-07:00",
        ["11-01 01:00 -0700", "11-01 01:30 -0700", "11-01 01:00 -0800", "11-01 01:30 -0800", "11-01 02:00 -0800"],
    ),
    "Lord Howe forward by half an hour, 02:00 to 02:30": (
        "15 2 * * *", LORD_HOWE, "2026-10-03T12:00+10:30",
        ["10-04 02:30 +1100", "10-05 02:15 +1100"],
    ),
    "Lord Howe forward: every quarter of an hour from 3 on starts at 3": (
        "*/15 3 * * *", LORD_HOWE, "2026-10-03T16:00+10:30",
        ["10-04 03:00 +1100", "10-04 03:15 +1100", "10-04 03:30 +1100", "10-04 03:45 +1100"],
    ),
    "Lord Howe back by half an hour, 02:00 to 01:30": (
        "*/15 1 * * *", LORD_HOWE, "2026-04-05T01:20+11:00",
        ["04-05 01:30 +1100", "04-05 01:45 +1100", "04-05 01:30 +1030", "04-05 01:45 +1030", "04-06 01:00 +1030"],
    ),
    "Lord Howe back: a fixed time in the repeated half hour runs the first time": (
        "45 1 * * *", LORD_HOWE, "2026-04-04T12:00+11:00",
        ["04-05 01:45 +1100", "04-06 01:45 +1030"],
    ),
    "Sao Paulo forward at midnight: the day has no 00:00": (
        "0 0 * * *", SAO_PAULO, "2018-11-03T12:00-03:00",
        ["11-04 01:00 -0200", "11-05 00:00 -0200"],
    ),
    "Sao Paulo forward at midnight: the day is the one that is meant": (
        "0 0 4 11 *", SAO_PAULO, "2018-11-03T12:00-03:00",
        ["11-04 01:00 -0200"],
    ),
    "Sao Paulo back at midnight: the evening comes twice": (
        "30 23 * * *", SAO_PAULO, "2018-02-17T12:00-02:00",
        ["02-17 23:30 -0200", "02-18 23:30 -0300"],
    ),
    "Tehran forward at midnight": (
        "30 0 * * *", TEHRAN, "2021-03-21T12:00+03:30",
        ["03-22 01:00 +0430", "03-23 00:30 +0430"],
    ),
    "Tehran back at midnight: a minute in the hour that comes twice": (
        "*/30 23 * * *", TEHRAN, "2021-09-21T23:10+04:30",
        ["09-21 23:30 +0430", "09-21 23:00 +0330", "09-21 23:30 +0330", "09-22 23:00 +0330"],
    ),
    "Tehran has had no daylight saving since 2023": (
        "30 0 * * *", TEHRAN, "2026-03-21T12:00+03:30",
        ["03-22 00:30 +0330", "03-23 00:30 +0330"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "zone", "start", "truth"), TRUTH.values(), ids=TRUTH)
def test_clocks_that_change_are_followed_as_cron_does(line: str, zone: str, start: str, truth: list[str]) -> None:
    found = islice(upcoming(Cron.parse(line, zone), at(start)), len(truth))
    assert [f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M %z}" for moment in found] == truth


@pytest.mark.parametrize(("line", "zone", "start", "truth"), TRUTH.values(), ids=TRUTH)
def test_the_way_back_meets_the_same_times(line: str, zone: str, start: str, truth: list[str]) -> None:
    cron = Cron.parse(line, zone)
    ahead = list(islice(upcoming(cron, at(start)), len(truth)))
    moment = ahead[-1]
    back: list[datetime] = []
    while len(back) < len(ahead):
        found = cron.until(moment)
        assert found is not None
        back.append(found)
        moment = found - timedelta(microseconds=1)
    assert back[::-1] == ahead


def test_looking_from_the_second_of_two_equal_hours_never_answers_with_the_first() -> None:
    second = datetime(2026, 11, 1, 1, 10, tzinfo=ZoneInfo(LOS_ANGELES), fold=1).astimezone(UTC)
    found = Cron.parse("30 1 * * *", LOS_ANGELES).after(second)
    assert found is not None
    assert found > second
    assert f"{found.astimezone(ZoneInfo(LOS_ANGELES)):%d %H:%M}" == "02 01:30"


zones = st.sampled_from([LOS_ANGELES, LORD_HOWE, SAO_PAULO, TEHRAN, "UTC", "Europe/Berlin", "Africa/Casablanca"])
lines = st.sampled_from(
    [
        "*/7 * * * *",
        "0 * * * *",
        "30 1 * * *",
        "15 2 * * 0",
        "0 0 * * *",
        "*/20 0-3 * * *",
        "5,35 1-2 * * *",
        "0 0 1 * *",
    ]
)
moments = st.integers(1_514_764_800, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(lines, zones, moments)
def test_no_time_is_left_out_or_named_twice_whichever_way_one_looks(line: str, zone: str, moment: datetime) -> None:
    cron = Cron.parse(line, zone)
    following = cron.after(moment)
    assert following is not None
    assert following > moment
    assert cron.until(following) == following
    before = cron.until(following - timedelta(microseconds=1))
    assert before is not None
    assert before <= moment
    assert cron.after(before) == following


@given(lines, zones, moments)
def test_what_follows_elapsed_time_runs_when_the_wall_clock_says_so(line: str, zone: str, moment: datetime) -> None:
    """Minute by minute over three hours, compared with a reading of the wall clock."""
    cron = Cron.parse(line, zone)
    if not cron.line.elapsed:
        return
    start = moment.replace(second=0)
    minutes = [start + timedelta(minutes=number) for number in range(1, 181)]
    named = [each for each in minutes if _matches(cron, each)]
    found = [each for each in islice(upcoming(cron, start), len(named) + 1) if each <= minutes[-1]]
    assert found == named


def _matches(cron: Cron, moment: datetime) -> bool:
    wall = moment.astimezone(cron.zone)
    return (
        wall.month in cron.line.days.months and cron.line.days.match_day(wall.date()) and wall.time() in cron.line.times
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6 *", "never fires"),
        ("61 * * * *", "has a bad minute. It is 0 to 59"),
        ("0 24 * * *", "has a bad hour. It is 0 to 23"),
        ("0 0 * 13 *", "has a bad month"),
        ("0 0 * * funday", "has a bad day-of-week"),
        ("0 0 0 * *", "has a bad day-of-month"),
        ("* * *", "has 3 fields. Five fields: minute, hour"),
        ("0 0 * * * *", "has 6 fields"),
        ("@daily", 'Write it out: "0 0 * * *"'),
    ],
)
def test_a_line_that_cannot_be_meant_is_told_with_what_to_write(line: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Cron.parse(line)
    assert told in str(caught.value)


def test_a_leap_day_comes_although_it_is_years_away() -> None:
    found = Cron.parse("0 12 29 2 *").after(datetime(2096, 3, 1, tzinfo=UTC))
    assert found == datetime(2104, 2, 29, 12, tzinfo=UTC)
