"""Plans as tests of the planner read them."""

from __future__ import annotations

from reconciler.model.manifests import App, Host
from reconciler.model.plan import AppPlan, Plan
from tests.fakes.fleet import World, host, manifests


def only(plan: Plan) -> AppPlan:
    (found,) = plan.apps
    return found


def brief(plan: AppPlan) -> list[str]:
    """Changes as `~ file:/etc/web`."""
    return [f"{change.action.symbol} {change.resource}" for change in plan.changes]


def changed(world: World, old: App, new: App, *hosts: Host) -> AppPlan:
    """The plan for one host that stands at the old app."""
    machines = hosts or (host("web-1"),)
    world.apply(manifests(old, *machines))
    return only(world.plan(manifests(new, *machines)))
