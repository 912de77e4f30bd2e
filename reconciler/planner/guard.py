"""Refuses a plan that deletes too much to be meant; asked by every command and loop before it commits a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.errors import Place, Problem, Refused
from reconciler.model.manifests import Guard
from reconciler.model.plan import Action, Plan
from reconciler.resources.values import replace


def guard(plan: Plan, limits: Guard, allow_deletes: int | None) -> None:
    """Let the plan pass, or say why not. With `allow_deletes` a plan with that many deletes or fewer always passes.

    Raises:
        Refused: more deletes than both limits, of one app or in all, or no host is left in the manifests.
    """
    deletes = Counter(app.app for app, change in plan.changes() if change.action is Action.DELETE)
    needed = sum(deletes.values()) + (len(plan.forgotten) if _nothing_left(plan) else 0)
    if allow_deletes is not None and needed <= allow_deletes:
        return
    problems = list(_problems(plan, deletes, limits, f"Intended? --allow-deletes {needed}"))
    if problems:
        raise Refused(problems)


def hold_excessive(plan: Plan, limits: Guard, allow_deletes: int | None) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan with those apps held that delete too much, and what is wrong with it; the others go on.

    Raises:
        Refused: no host is left in the manifests.
    """
    try:
        guard(plan, limits, allow_deletes)
    except Refused as error:
        if _nothing_left(plan):
            raise
        deletes = Counter(app.app for app, change in plan.changes() if change.action is Action.DELETE)
        excessive = {app for app in deletes if _exceeds(deletes[app], plan.resources.get(app, 0), limits)}
        held = excessive or deletes.keys()
        apps = tuple(replace(app, held=app.held or _HELD) if app.app in held else app for app in plan.apps)
        return replace(plan, apps=apps), tuple(error.problems)
    return plan, ()


_HELD = "it deletes too much to be meant; commit with the trailer Reconcile-Allow-Deletes: N"


def _problems(plan: Plan, deletes: Counter[str], limits: Guard, hint: str) -> Iterator[Problem]:
    """One problem per app that loses too much; the whole only where no single app explains it."""
    if _nothing_left(plan):
        count = len(plan.forgotten)
        message = f"Refused: the manifests hold no host; {count} known {_plural('host', count)} would be forgotten"
        yield Problem(Place(), message, hint, "empty-manifests")
    excessive = [app for app in sorted(deletes) if _exceeds(deletes[app], plan.resources.get(app, 0), limits)]
    for app in excessive:
        yield _problem(f"{plan.resources.get(app, 0)} resources of {app}", deletes[app], limits, hint)
    total, of = sum(deletes.values()), sum(plan.resources.values())
    if not excessive and _exceeds(total, of, limits):
        yield _problem(f"{of} resources", total, limits, hint)


def _problem(what: str, deletes: int, limits: Guard, hint: str) -> Problem:
    bounds = f"(limit {limits.delete_percent} % and {limits.delete_count})"
    return Problem(Place(), f"Refused: deletes {deletes} of {what} {bounds}", hint, "too-many-deletes")


def _exceeds(deletes: int, of: int, limits: Guard) -> bool:
    return deletes > limits.delete_count and deletes * 100 > limits.delete_percent * of


def _nothing_left(plan: Plan) -> bool:
    return not plan.hosts and bool(plan.forgotten)


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"
