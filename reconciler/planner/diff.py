"""Desired against observed state: one input value in, one `Plan` out, no I/O.

Called by commands, by the controller's loop and by pull-request checks. Guarding the plan is `guard`'s, showing it the
reports room's. Only what is `due` is rendered, what hosts share is compared once, and equal inputs give an equal plan.
"""

from __future__ import annotations

from reconciler.model.plan import Action, AppPlan, Plan
from reconciler.planner.comparing import Comparer
from reconciler.planner.due import due
from reconciler.planner.host_diff import HostDiff
from reconciler.planner.inputs import PlanInput
from reconciler.planner.past import Past
from reconciler.planner.renderings import Renderers, Renderings
from reconciler.planner.sizes import resource_counts


def diff(given: PlanInput, renderers: Renderers) -> Plan:
    """What an apply would do now.

    Raises:
        InvalidInput: something cannot be rendered, or two apps of a host turn out to claim the same place.
    """
    desired = given.desired
    past = Past(desired, given.observed)
    renderings = Renderings({**given.bundles, **desired.bundles}, renderers)
    comparer = Comparer()
    pairs = given.due if given.due is not None else due(desired, given.observed, given.secrets, given.scope)
    by_host: dict[str, list[str]] = {}
    for known_as, app in pairs:
        host = past.today(known_as)
        by_host.setdefault(host, [])
        if known_as == host and app in desired.hosts[host]:
            by_host[host].append(app)
    apps: list[AppPlan] = []
    for host in sorted(by_host):
        apps.extend(HostDiff(host, given, past, renderings, comparer).plans(by_host[host]))
    renderings.raise_all()
    deletes = any(change.action is Action.DELETE for app in apps for change in app.changes)
    return Plan(
        revision=desired.revision,
        hosts=tuple(sorted(filter(given.scope.host, desired.hosts))),
        apps=tuple(apps),
        resources=resource_counts(given, past, renderings, frozenset(pairs)) if deletes else {},
        forgotten=tuple(filter(given.scope.host, past.forgotten())),
    )
