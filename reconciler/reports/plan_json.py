"""A plan for programs (`-o json`): a documented shape that only grows; equal plans give equal bytes."""

from __future__ import annotations

from typing import Any

from reconciler.model.plan import AppPlan, Plan
from reconciler.reports.json_form import document
from reconciler.reports.plan_outline import changed_hosts, held_changes


def plan_json(plan: Plan) -> str:
    """The whole plan on one line, nothing shortened.

    {"format": 1,
     "plan": {
       "id": text for --plan-id, "revision": text, "empty": boolean,
       "summary": {"add", "change", "delete", "unknown", "held", "drift", "hosts_changed", "hosts": numbers},
       "apps": [{"host", "app",
                 "held": why it is not applied now, or "",
                 "changes": [{"resource", "action": add, change, delete or unknown,
                              "before", "after": fingerprints, "reason", "diff": [line...]}...],
                 "follow_ups": [text...], "left_behind": [text...],
                 "drift": [{"resource", "action", "differences": [text...]}...]}...],
       "refused": why an apply would refuse it, or "",
       "forgotten": [host...]}}

    `apps` is sorted by host and app, and holds only those where something changes, waits, drifts or stays behind.
    """
    return document(
        compact=True,
        plan={
            "id": plan.id,
            "revision": plan.revision,
            "empty": plan.empty,
            "summary": _summary(plan),
            "apps": [app for app in plan.apps if _tells(app)],
            "refused": plan.refused,
            "forgotten": plan.forgotten,
        },
    )


def _summary(plan: Plan) -> dict[str, Any]:
    return {
        **{action.value: number for action, number in plan.counts.items()},
        "held": held_changes(plan),
        "drift": plan.drifted,
        "hosts_changed": len(changed_hosts(plan)),
        "hosts": len(plan.hosts),
    }


def _tells(app: AppPlan) -> bool:
    return bool(app.changes or app.follow_ups or app.left_behind or app.drift or app.held)
