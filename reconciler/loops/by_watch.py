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
        wanted = situation.desired.hosts[host].get(app)
        outcome = _outcome(host, app, known, wanted.digest if wanted else "", changes.get((host, app), 0))
        apps.setdefault(host, []).append(outcome)
    return tuple(HostOutcome(host, tuple(found)) for host, found in sorted(apps.items()))


def _outcome(host: str, app: str, known: ObservedApp | None, wanted: str, planned: int) -> AppOutcome:
    """How it ended; `wanted` is the digest that should be there, empty where the app should be gone."""
    there = known is not None and known.digest == wanted and known.status is AppStatus.CONVERGED
    if there or (known is None and not wanted):
        return AppOutcome(app, AppStatus.CONVERGED, changed=planned)
    told = (known.error or known.status.value) if known else "the watch has not worked on it"
    problem = Problem(Place(host=host, app=app), told, "Look at its log, and: reconcile status", "resource-failed")
    return AppOutcome(app, known.status if known else AppStatus.WAITING, failed=1, problems=(problem,))
