"""The plan for programs: a shape that others build on."""

import json

from syrupy.assertion import SnapshotAssertion

from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.reports.plan_json import plan_json
from tests.unit.reports.example_plans import fleet_plan, quiet_plan


def pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2)


def test_the_shape_of_a_plan_is_stable(snapshot: SnapshotAssertion) -> None:
    assert pretty(plan_json(fleet_plan())) == snapshot


def test_an_empty_plan_is_still_a_plan(snapshot: SnapshotAssertion) -> None:
    assert pretty(plan_json(quiet_plan())) == snapshot


def test_equal_plans_give_equal_bytes() -> None:
    assert plan_json(fleet_plan()) == plan_json(fleet_plan())


def test_apps_that_only_get_a_new_statement_are_not_listed() -> None:
    plan = Plan("1a2b3c4", ("web-1",), (AppPlan("web-1", "webapp"),))
    assert json.loads(plan_json(plan))["plan"]["apps"] == []


def test_nothing_is_shortened() -> None:
    lines = tuple(f"+{number}" + "x" * 1000 for number in range(1000))
    plan = Plan("1a2b3c4", ("web-1",), (AppPlan("web-1", "a", (Change("file:/x", Action.ADD, diff=lines),)),))
    assert tuple(json.loads(plan_json(plan))["plan"]["apps"][0]["changes"][0]["diff"]) == lines


def test_control_characters_are_escaped_also_for_programs_that_print() -> None:
    plan = Plan("1a2b3c4", ("web-1",), (AppPlan("web-1", "a", held="\x1b[2J\x9b\u202e"),))
    assert plan_json(plan).isascii()
    assert "\x1b" not in plan_json(plan)
