"""Decides, from values alone: what should be on each host, what differs, in which order, and whether that is too much.

Commands and loops hand in manifests and what is known of the hosts; reading either, and acting on a plan, is theirs.
"""

from reconciler.planner.compose import Composer
from reconciler.planner.diff import diff
from reconciler.planner.due import Due, due, why_due
from reconciler.planner.explain import Explanation, explain
from reconciler.planner.guard import guard, hold_excessive
from reconciler.planner.inputs import PlanInput
from reconciler.planner.order import order_apps
from reconciler.planner.placement import connections, placements
from reconciler.planner.scope import WHOLE_FLEET, Scope

__all__ = [
    "WHOLE_FLEET",
    "Composer",
    "Due",
    "Explanation",
    "PlanInput",
    "Scope",
    "connections",
    "diff",
    "due",
    "explain",
    "guard",
    "hold_excessive",
    "order_apps",
    "placements",
    "why_due",
]
