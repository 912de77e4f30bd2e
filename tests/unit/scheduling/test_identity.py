from __future__ import annotations

from datetime import timedelta

from reconciler.scheduling.agenda import Agenda
from reconciler.scheduling.identity import offset, run_id
from tests.unit.scheduling.moments import at


def test_the_same_run_has_the_same_id_whoever_starts_it() -> None:
    assert run_id("nightly", at("01:00"), {"b": 1, "a": 2}) == run_id("nightly", at("01:00"), {"a": 2, "b": 1})
    others = {run_id("nightly", at("02:00"), {}), run_id("weekly", at("01:00"), {}), run_id("nightly", at("01:00"), {})}
    assert len(others) == 3
    assert all(len(each) == 26 for each in others)


def test_ids_sort_by_their_nominal_time() -> None:
    assert run_id("z", at("01:00"), {}) < run_id("a", at("01:01"), {})


def test_hosts_start_spread_over_the_jitter_and_always_at_the_same_place() -> None:
    offsets = [offset("nightly", f"web-{number}", 600) for number in range(1_000)]
    assert offsets == [offset("nightly", f"web-{number}", 600) for number in range(1_000)]
    assert timedelta() <= min(offsets) < max(offsets) < timedelta(seconds=600)
    halves = sum(each < timedelta(seconds=300) for each in offsets)
    assert 400 < halves < 600
    assert offset("nightly", "web-1", 0) == timedelta()


def test_an_agenda_gives_what_is_due_in_order_and_forgets_what_was_moved() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("late", at("03:00"))
    agenda.put("early", at("01:00"))
    agenda.put("moved", at("01:00"))
    agenda.put("moved", at("02:00"))
    agenda.put("gone", at("01:00"))
    agenda.put("gone", None)
    assert agenda.take(at("01:30")) == ["early"]
    assert agenda.take(at("02:30")) == ["moved"]
    assert agenda.take(at("02:30")) == []
    assert len(agenda) == 1
