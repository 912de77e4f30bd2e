"""Samples in Redis: the latest values, packed series with gaps, roll-ups, and what a server that is full gets."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.store import HostSample, Store
from tests.integration.store.conftest import Inside

CPU = {"cpu.percent": 12.5}


def sample(values: Mapping[str, float] = CPU, age: float = 0.0, **more: float) -> HostSample:
    return HostSample("web-1", values, kept=set(values), age_seconds=age, **more)  # type: ignore[arg-type]


def server_now(store: Store) -> datetime:
    return store.metrics.write([sample()])[0].server_time


def test_the_latest_sample_reads_like_a_table_with_the_five_names_first(store: Store, inside: Inside) -> None:
    values = {
        "cpu.percent": 12.54,
        "mem.percent": 40.0,
        "disk.percent": 61.26,
        "network.received_bytes_per_second": 1000.0,
        "network.sent_bytes_per_second": 234.4,
        "mem.total_bytes": 25276502016.0,
        "filesystem.percent[/var]": 61.26,
    }
    store.metrics.write([HostSample("web-1", values, kept=(), status="failing: webapp")])
    reply = [word.decode() for word in inside.link.send("HGETALL", "rc:{web-1}:metrics")]
    read = dict(zip(reply[::2], reply[1::2], strict=True))
    assert reply[::2][:6] == ["cpu", "mem", "disk", "network", "status", "sampled_at"]
    assert [read[name] for name in ("cpu", "mem", "disk", "network", "status")] == [
        "12.5", "40.0", "61.3", "1234", "failing: webapp",
    ]  # fmt: skip
    assert read["mem.total_bytes"] == "25276502016"
    latest = store.metrics.latest(["web-1", "never"])["web-1"]
    assert latest.values == {**values, "cpu.percent": 12.54, "disk.percent": 61.26}
    assert latest.status == "failing: webapp"


def test_what_is_gone_from_a_host_is_gone_from_its_latest_sample(store: Store) -> None:
    store.metrics.write([sample({"filesystem.percent[/mnt]": 5.0})])
    store.metrics.write([sample()])
    assert store.metrics.latest(["web-1"])["web-1"].values == CPU


def test_points_come_back_at_their_times_and_gaps_are_left_out(store: Store) -> None:
    taken = ((600.0, 1.0), (595.0, 2.0), (300.0, 3.5))
    now = store.metrics.write([sample({"load.one": value}, age=age) for age, value in taken])[0].server_time
    found = store.metrics.series("web-1", ["load.one"], now - timedelta(hours=1), now)["load.one"]
    assert [value for _, value in found] == [1.0, 2.0, 3.5]
    for (at, _), age in zip(found, (600, 595, 300), strict=True):
        assert abs((now - at).total_seconds() - age) <= 6


def test_a_late_sample_changes_its_series_and_not_the_latest_values(store: Store) -> None:
    store.metrics.write([sample({"load.one": 9.0})])
    store.metrics.write([sample({"load.one": 1.0}, age=60.0)])
    assert store.metrics.latest(["web-1"])["web-1"].values == {"load.one": 9.0}


def test_an_hour_of_a_series_is_packed_float32_of_fixed_size(store: Store, inside: Inside) -> None:
    now = server_now(store)
    key = f"rc:{{web-1}}:series:cpu.percent:{int(now.timestamp() // 3600)}"
    packed = inside.link.send("GET", key)
    assert len(packed) == 4 + 4 * 720
    assert struct.unpack("<I", packed[:4]) == (5000,)
    values = struct.unpack("<720f", packed[4:])
    assert [value for value in values if not math.isnan(value)] == [12.5]


def test_a_sample_takes_no_more_than_six_bytes_of_an_hour(store: Store, inside: Inside) -> None:
    now = server_now(store)
    key = f"rc:{{web-1}}:series:cpu.percent:{int(now.timestamp() // 3600)}"
    for age in range(0, 50, 5):
        store.metrics.write([sample(age=float(age))])
    assert inside.link.send("MEMORY", "USAGE", key) / 720 <= 6


def test_another_interval_holds_from_the_next_hour_and_points_stay_where_they_belong(store: Store) -> None:
    now = server_now(store)
    store.metrics.write([sample({"cpu.percent": 50.0}, age=30.0, interval_seconds=10.0)])
    since = now - timedelta(seconds=45)
    found = store.metrics.series("web-1", ["cpu.percent"], since, now)["cpu.percent"]
    assert (found[0][1], found[-1][1]) == (50.0, 12.5)
    assert abs((now - found[0][0]).total_seconds() - 30) <= 10


def test_five_minutes_that_are_over_become_an_average_and_a_highest_value(store: Store) -> None:
    now = server_now(store)
    past = [sample({"mem.percent": float(age % 4)}, age=float(age)) for age in range(1500, 0, -60)]
    store.metrics.write([HostSample("db-1", each.values, each.kept, age_seconds=each.age_seconds) for each in past])
    parts = store.metrics.rollups("db-1", "mem.percent", now - timedelta(hours=1), now)
    assert len(parts) >= 3
    assert all(part.at.timestamp() % 300 == 0 for part in parts)
    raw = store.metrics.series("db-1", ["mem.percent"], now - timedelta(hours=1), now)["mem.percent"]
    for part in parts:
        inside = [value for at, value in raw if part.at <= at < part.at + timedelta(minutes=5)]
        assert part.highest == max(inside)
        assert part.average == pytest.approx(sum(inside) / len(inside), rel=1e-6)


def test_only_what_is_kept_becomes_a_series(store: Store, inside: Inside) -> None:
    store.metrics.write([HostSample("web-1", {"cpu.percent": 1.0, "cpu.count": 2.0}, kept={"cpu.percent"})])
    shapes = [key for key in inside.all_keys() if ":series:" in key]
    assert len(shapes) == 1
    assert "cpu.percent" in shapes[0]


def test_series_live_as_long_as_the_fleet_says(store: Store, inside: Inside) -> None:
    store.metrics.write([sample(raw_seconds=7200.0)])
    (key,) = [key for key in inside.all_keys() if ":series:" in key]
    assert 7200 < inside.seconds_to_live(key) <= 7200 + 3600


def test_a_server_that_is_short_of_memory_gets_no_series_and_says_so(store: Store, inside: Inside) -> None:
    store.metrics.hold_series(["web-1"])
    written = store.metrics.write([sample()])
    assert not written[0].series
    assert store.metrics.latest(["web-1"])["web-1"].values == CPU
    assert not [key for key in inside.all_keys() if ":series:" in key]
    assert 0 < inside.seconds_to_live("rc:{web-1}:full") <= 120


def test_the_share_of_the_memory_limit_is_known_where_there_is_one(store: Store, inside: Inside) -> None:
    assert store.metrics.memory_share() == 0
    try:
        inside.link.ask_primaries("CONFIG", "SET", "maxmemory", "1gb")
        assert 0 < store.metrics.memory_share() < 0.7
    finally:
        inside.link.ask_primaries("CONFIG", "SET", "maxmemory", "0")


def test_odd_records_count_as_absent(store: Store, inside: Inside) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - only to name an hour
    hour = int(now.timestamp() // 3600)
    inside.link.send("HSET", "rc:{web-1}:metrics", "sampled_at", "soon")
    inside.link.send("SET", f"rc:{{web-1}}:series:cpu.percent:{hour}", b"\0\0\0\0odd")
    inside.link.send("SET", f"rc:{{web-1}}:rollup:cpu.percent:{hour // 24}", b"odd")
    assert store.metrics.latest(["web-1"]) == {}
    assert store.metrics.series("web-1", ["cpu.percent"], now - timedelta(hours=1), now) == {"cpu.percent": []}
    assert store.metrics.rollups("web-1", "cpu.percent", now - timedelta(hours=1), now) == []
    assert len(store.problems) == 3
