"""How many resources each app has over all hosts: what a guard's percentage is of.

Called by `diff` for plans that delete something. Where no condition or loop decides, nothing is rendered for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from reconciler.model.desired import DesiredApp
from reconciler.planner.inputs import PlanInput
from reconciler.planner.past import Past
from reconciler.planner.renderings import Renderings


def resource_counts(
    given: PlanInput, past: Past, renderings: Renderings, due: Collection[tuple[str, str]]
) -> Mapping[str, int]:
    """App -> resources that it has or wants, over all hosts of the scope, in name order."""
    counts: Counter[str] = Counter()
    fixed = {sha: _fixed_count(bundle.content["resources"]) for sha, bundle in given.desired.bundles.items()}
    for host, apps in given.desired.hosts.items():
        if not given.scope.host(host):
            continue
        for app, wanted in apps.items():
            if given.scope.app(app):
                applied = past.applied(host, app, given.applied) if (host, app) in due else None
                counts[app] += _count(wanted, applied.resources if applied else (), fixed[wanted.bundle], renderings)
        for app in past.leaving(host):
            known = past.host(host)
            form = given.applied.get((known[0], app)) if known and given.scope.app(app) else None
            counts[app] += len(form.resources) if form else 0
    return {app: counts[app] for app in sorted(counts)}


def _count(wanted: DesiredApp, owned: Collection[str], fixed: int | None, renderings: Renderings) -> int:
    if fixed is not None and not owned:
        return fixed
    rendered = renderings.wanted(wanted)
    return len({resource.id for resource in rendered.resources}.union(owned)) if rendered else len(owned)


def _fixed_count(nodes: list[Mapping[str, Any]]) -> int | None:
    """How many resources these nodes are on every host; None where conditions or loops decide."""
    if any("when" in node or "forEach" in node for node in nodes):
        return None
    below = [_fixed_count(node["block"]) if "block" in node else 1 for node in nodes]
    return None if None in below else sum(count for count in below if count is not None)
