"""What an apply did against what its plan said: a dry run that lied is told, not passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.errors import Place, Problem
from reconciler.loops.converging.outcome import HostOutcome
from reconciler.model.plan import Action, AppPlan, Plan

_HINT = "The host was not as it was when the plan was made; look: reconcile verify"


def surprises(plan: Plan, outcomes: Iterable[HostOutcome]) -> Iterator[Problem]:
    """One note for each app and host that ended well with other changes than those planned.

    What the plan called unknown may go either way; what drifted may have been put right.
    """
    planned = {(app.host, app.app): app for app in plan.apps}
    for outcome in outcomes:
        for app in outcome.apps:
            plan_of_app = planned.get((outcome.host, app.app))
            if not app.well or (plan_of_app and plan_of_app.held):
                continue
            expected, possible = _expected(plan_of_app)
            more = sorted(app.changes.keys() - expected - possible)
            less = sorted(expected - app.changes.keys())
            told = [f"also changed {', '.join(more)}"] if more else []
            told += [f"found {', '.join(less)} already right"] if less else []
            if told:
                place = Place(host=outcome.host, app=app.app)
                yield Problem(place, f"not as planned: {'; '.join(told)}", _HINT, "not-as-planned")


def _expected(plan: AppPlan | None) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of what must change, and of what may."""
    if plan is None:
        return frozenset(), frozenset()
    certain = frozenset(change.resource for change in plan.changes if change.action is not Action.UNKNOWN)
    unknown = frozenset(change.resource for change in plan.changes if change.action is Action.UNKNOWN)
    return certain, unknown | frozenset(drift.resource for drift in plan.drift)
