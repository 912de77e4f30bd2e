"""A look at a host whose time has come: what differs is told, and put right where the app's policy says so.

Called by the worker of a watch and by agents, each of which keeps its own timers.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome import HostOutcome
from reconciler.loops.log import Log
from reconciler.model.manifests import DriftPolicy
from reconciler.model.work import converge_mark


def look_for_drift(executor: Executor, log: Log, host: str, policies: Mapping[str, DriftPolicy]) -> HostOutcome:
    """Look at these apps; drift of an app that heals makes it due.

    Raises:
        Unavailable: Redis cannot be reached.
    """
    found = executor.verify(host, sorted(policies))
    for outcome in found.apps:
        app = outcome.app
        if not outcome.drift:
            continue
        resources = ", ".join(drift.resource for drift in outcome.drift)
        policy = policies[app]
        log.warning("drift", host=host, app=app, resources=resources, policy=policy.value)
        executor.store.journal.append("drift", host=host, app=app, resources=resources)
        if policy is DriftPolicy.HEAL:
            mark = converge_mark(host, app, reason="drift")
            executor.store.work.enqueue([mark], agents=(host,) if executor.alone else ())
    return found
