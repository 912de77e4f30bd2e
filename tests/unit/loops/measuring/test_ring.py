"""What rules see of a host's samples: newest values, windows, instances, ages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.loops.measuring.ring import RAW_SECONDS, Ring, RingView
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState
from reconciler.model.samples import Series
from reconciler.model.selector import Selector


def ring(**windows: float) -> Ring:
    return Ring({name.replace("__", "."): seconds for name, seconds in windows.items()}, fresh_seconds=30.0)


def test_a_value_is_known_while_it_is_fresh_and_its_age_for_ever() -> None:
    known = ring()
    known.add(100.0, {"cpu.percent": 50.0})
    assert RingView(known, "", 130.0).value("cpu.percent") == 50
    stale = RingView(known, "", 131.0)
    assert stale.value("cpu.percent") is None
    assert stale.age("cpu.percent") == 31
    assert stale.age("mem.percent") is None


def test_a_window_holds_the_samples_of_its_seconds() -> None:
    known = ring(cpu__percent=300.0)
    for at in range(0, 1000, 5):
        known.add(float(at), {"cpu.percent": float(at)})
    found = RingView(known, "", 995.0).window("cpu.percent", 300.0)
    assert (found.times[0], found.times[-1], len(found.values)) == (695, 995, 61)


def test_beyond_a_quarter_of_an_hour_a_window_is_made_of_averages_of_a_minute() -> None:
    known = ring(filesystem__free_bytes=21_600.0)
    for at in range(0, 30_000, 5):
        known.add(float(at), {"filesystem.free_bytes[/]": float(at)})
    found = RingView(known, "/", 29_995.0).window("filesystem.free_bytes", 21_600.0)
    assert 500 < len(found.values) < 800
    assert list(found.times) == sorted(found.times)
    assert found.times[0] == pytest.approx(29_995 - 21_600, abs=60)
    assert all(value == pytest.approx(at, abs=0.01) for at, value in zip(found.times, found.values, strict=True))
    recent = [at for at in found.times if at > 29_995 - RAW_SECONDS]
    assert len(recent) == 180


def test_what_no_rule_looks_back_at_takes_no_room() -> None:
    known = ring()
    for at in range(0, 10_000, 5):
        known.add(float(at), {"cpu.percent": 1.0})
    assert RingView(known, "", 9995.0).window("cpu.percent", 300.0).values == ()


def test_a_rule_of_each_filesystem_sees_its_own_and_all_of_them() -> None:
    known = ring()
    known.add(10.0, {"filesystem.percent[/]": 40.0, "filesystem.percent[/var]": 90.0, "interface.up[eth0]": 1.0})
    view = RingView(known, "/var", 10.0)
    assert view.value("filesystem.percent") == 90
    assert sorted(view.all("filesystem.percent").values) == [40, 90]
    assert known.instances("filesystem", 10.0) == ["/", "/var"]
    assert known.instances("service", 10.0) == []


def test_a_filesystem_that_went_away_is_no_instance_after_a_stale_window() -> None:
    known = ring()
    known.add(0.0, {"filesystem.percent[/mnt]": 40.0})
    known.add(20.0, {"cpu.percent": 1.0})
    assert known.instances("filesystem", 30.0) == ["/mnt"]
    assert known.instances("filesystem", 31.0) == []


def test_metrics_of_apps_with_labels_are_many_values_and_without_are_one() -> None:
    known = ring()
    known.add(0.0, {"queue": 3.0, 'jobs[code="5"]': 1.0, 'jobs[code="6"]': 2.0})
    view = RingView(known, "", 0.0)
    assert view.value("queue") == 3
    assert view.value("jobs") is None
    assert sum(view.all("jobs").values) == 3


def test_what_was_measured_before_a_restart_comes_before_what_came_since() -> None:
    known = ring(cpu__percent=3600.0)
    known.add(5000.0, {"cpu.percent": 9.0})
    known.fill("cpu.percent", [(4000.0, 1.0), (4995.0, 2.0), (4998.0, 7.0)], 5.0)
    found = RingView(known, "", 5000.0).window("cpu.percent", 3600.0)
    assert list(zip(found.times, found.values, strict=True)) == [(4000, 1), (4995, 2), (5000, 9)]


def test_series_that_nothing_comes_for_are_forgotten() -> None:
    known = ring(queue=60.0)
    known.add(0.0, {"queue": 1.0})
    known.add(50.0, {"cpu.percent": 1.0})
    known.forget(before=10.0)
    assert known.age(Series("queue"), 50.0) is None
    assert known.age(Series("cpu.percent"), 50.0) == 0


def test_facts_labels_and_firing_alerts_are_at_hand() -> None:
    alerts = [
        ActiveAlert(AlertId(name, "web-1"), AlertState.FIRING, datetime.now(UTC), labels={"severity": name})  # noqa: TID251
        for name in ("critical", "info")
    ]
    facts = {"cores": 4, "os": {"id": "debian"}, "host": {"labels": {"env": "prod"}}}
    view = RingView(ring(), "", 0.0, facts, alerts)
    assert view.fact(("cores",)) == 4
    assert view.fact(("os", "id")) == "debian"
    assert view.fact(("host", "labels", "env")) == "prod"
    assert view.fact(("os", "none")) is None
    assert view.firing(Selector.parse("severity=critical")) == 1
