"""A plan that deletes too much is refused, and says what would let it pass."""

from __future__ import annotations

import pytest

from reconciler.errors import Refused
from reconciler.model.manifests import Guard
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.planner.guard import guard


def plan(resources: dict[str, int], **deletes: int) -> Plan:
    """A plan that deletes so many resources of each app."""
    apps = tuple(
        AppPlan("web-1", app, tuple(Change(f"file:/{number}", Action.DELETE, "x") for number in range(count)))
        for app, count in deletes.items()
    )
    return Plan("r1", ("web-1",), apps, resources)


def refusal(found: Plan, allow: int | None = None) -> str:
    with pytest.raises(Refused) as caught:
        guard(found, Guard(), allow)
    return str(caught.value)


def test_too_many_deletes_of_one_app_are_refused_in_these_words() -> None:
    expected = "Refused: deletes 41 of 60 resources of webapp (limit 20 % and 10). Intended? --allow-deletes 41"
    assert refusal(plan({"webapp": 60, "other": 1000}, webapp=41)) == expected


def test_many_deletes_are_fine_where_they_are_a_small_part() -> None:
    guard(plan({"webapp": 1000}, webapp=200), Guard(), None)


def test_a_large_part_is_fine_where_it_is_few_things() -> None:
    guard(plan({"webapp": 10}, webapp=10), Guard(), None)


def test_deletes_spread_over_apps_are_counted_in_all() -> None:
    found = plan({"a": 20, "b": 20}, a=9, b=9)
    assert refusal(found) == "Refused: deletes 18 of 40 resources (limit 20 % and 10). Intended? --allow-deletes 18"


def test_allowing_them_lets_exactly_so_many_pass() -> None:
    found = plan({"webapp": 60}, webapp=41)
    guard(found, Guard(), 41)
    assert "--allow-deletes 41" in refusal(found, allow=40)


def test_what_stays_within_the_limits_needs_no_allowance() -> None:
    guard(plan({"webapp": 60}, webapp=5), Guard(), 0)


def test_several_apps_are_told_together_with_the_number_that_lets_all_pass() -> None:
    text = refusal(plan({"a": 20, "b": 20}, a=15, b=16))
    assert text.splitlines() == [
        "Refused: deletes 15 of 20 resources of a (limit 20 % and 10). Intended? --allow-deletes 31",
        "Refused: deletes 16 of 20 resources of b (limit 20 % and 10). Intended? --allow-deletes 31",
    ]


def test_manifests_without_any_host_are_refused_however_few_are_known() -> None:
    found = Plan("r1", (), (), {}, forgotten=("web-1", "web-2"))
    assert refusal(found) == (
        "Refused: the manifests hold no host; 2 known hosts would be forgotten. Intended? --allow-deletes 2"
    )
    guard(found, Guard(), 2)
