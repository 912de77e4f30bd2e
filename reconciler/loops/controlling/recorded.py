"""What others did with a plan, as far as Redis tells: the recap of work that a watch or an agent did."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import Place, Problem
from reconciler.loops.controlling.planning import Pair, Situation
from reconciler.loops.converging.outcome import AppOutcome, HostOutcome
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.store import Store

_NOTHING = Applied("", "{}", {})
_TOUCHED = frozenset({AppStatus.CONVERGED, AppStatus.FAILED, AppStatus.ROLLED_BACK, AppStatus.CONFIRMING})


def recorded(store: Store, situation: Situation, pairs: Iterable[Pair]) -> tuple[HostOutcome, ...]:
    """One outcome for every host of these (host, app) pairs."""
    asked = tuple(pairs)
    observed = store.observed.read({host for host, _ in asked})
    applied = store.observed.applied(asked)
    apps: dict[str, list[AppOutcome]] = {}
    for host, app in asked:
        known = observed[host].apps.get(app) if host in observed else None
        wanted = situation.desired.hosts[host].get(app)
        if known is None and wanted is None:
            outcome = _removed(situation, (host, app))
        else:
            outcome = _outcome((host, app), known, wanted.digest if wanted else "", applied.get((host, app), _NOTHING))
        apps.setdefault(host, []).append(outcome)
    return tuple(HostOutcome(host, tuple(found)) for host, found in sorted(apps.items()))


def _removed(situation: Situation, pair: Pair) -> AppOutcome:
    plans = [plan for plan in situation.plan.apps if (plan.host, plan.app) == pair]
    gone = {change.resource: change.action.value for plan in plans for change in plan.changes}
    return AppOutcome(pair[1], AppStatus.CONVERGED, changed=len(gone), changes=gone)


def _outcome(pair: Pair, known: ObservedApp | None, wanted: str, applied: Applied) -> AppOutcome:
    """How it ended; `wanted` is the digest that should be there, empty where the app should be gone."""
    host, app = pair
    status = known.status if known else AppStatus.WAITING
    changes = applied.changed if status in _TOUCHED else {}
    ok = len(applied.resources.keys() - changes.keys())
    if known is not None and known.digest == wanted and status is AppStatus.CONVERGED:
        return AppOutcome(app, status, ok, len(changes), changes=changes)
    told = (known.error or known.status.value) if known else "nobody has worked on it"
    code = "unconfirmed" if status is AppStatus.UNCONFIRMED else "resource-failed"
    problem = Problem(Place(host=host, app=app), told, "Look: reconcile history", code)
    return AppOutcome(app, status, ok, len(changes), failed=1, problems=(problem,), changes=changes)
