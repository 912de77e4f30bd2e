"""What an apply did is held against what its plan said."""

from __future__ import annotations

from reconciler.loops.converging.outcome import AppOutcome, HostOutcome
from reconciler.loops.converging.surprises import surprises
from reconciler.model.observed import AppStatus, Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan


def told(planned: AppPlan, *changed: str, status: AppStatus = AppStatus.CONVERGED) -> list[str]:
    outcome = HostOutcome("web-1", (AppOutcome("web", status, changes=dict.fromkeys(changed, "change")),))
    plan = Plan("r", ("web-1",), (planned,))
    return [problem.message for problem in surprises(plan, [outcome])]


def plan(*changes: Change, drift: tuple[Drift, ...] = ()) -> AppPlan:
    return AppPlan("web-1", "web", changes, drift=drift)


def test_what_was_planned_and_done_is_no_surprise() -> None:
    assert told(plan(Change("file:/a", Action.ADD)), "file:/a") == []


def test_a_change_that_no_plan_spoke_of_is_told() -> None:
    assert told(plan(), "file:/a") == ["not as planned: also changed file:/a"]


def test_a_planned_change_that_was_there_already_is_told() -> None:
    assert told(plan(Change("file:/a", Action.CHANGE))) == ["not as planned: found file:/a already right"]


def test_what_was_unknown_or_drifted_may_go_either_way() -> None:
    either = plan(Change("file:/a", Action.UNKNOWN), drift=(Drift("file:/b", "change"),))
    assert told(either) == told(either, "file:/a", "file:/b") == []


def test_a_run_that_did_not_end_well_has_its_own_errors() -> None:
    assert told(plan(Change("file:/a", Action.ADD)), status=AppStatus.FAILED) == []
