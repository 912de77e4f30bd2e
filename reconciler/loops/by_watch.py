"""What a watch did with a plan, as far as Redis tells: the recap of a command that only asked for it."""

from __future__ import annotations

from reconciler.errors import Place, Problem
from reconciler.loops.one_shot import actionable
from reconciler.loops.outcome import AppOutcome, HostOutcome
from reconciler.loops.planning import Situation
from reconciler.model.observed import AppStatus, ObservedApp
from reconciler.store import Store


def by_watch(store: Store, situation: Situation) -> tuple[HostOutcome, ...]:
    """One outcome for every host where the plan had something to do."""
    pairs = actionable(situation)
    observed = store.observed.read({host for host, _ in pairs})
    apps: dict[str, list[AppOutcome]] = {}
    changes = {(plan.host, plan.app): len(plan.changes) for plan in situation.plan.apps}
    for host, app in pairs:
        known = observed[host].apps.get(app) if host in observed else None
        apps.setdefault(host, []).append(_outcome(host, app, known, changes.get((host, app), 0)))
    return tuple(HostOutcome(host, tuple(found)) for host, found in sorted(apps.items()))


def _outcome(host: str, app: str, known: ObservedApp | None, planned: int) -> AppOutcome:
    if known is None or known.status is AppStatus.CONVERGED:
        return AppOutcome(app, AppStatus.CONVERGED, changed=planned)
    problem = Problem(Place(host=host, app=app), known.error or known.status.value, code="resource-failed")
    return AppOutcome(app, known.status, failed=1, problems=(problem,))
