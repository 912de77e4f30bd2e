"""What those who serve log of hosts: the worker of a watch and agents say the same things in the same words."""

from __future__ import annotations

from reconciler.loops.converging.outcome import HostOutcome
from reconciler.loops.log import Log
from reconciler.model.work import Claim
from reconciler.resources.protocol import RunFinished


def log_outcome(log: Log, outcome: HostOutcome) -> None:
    """How work on a host ended: one line an app."""
    if outcome.unreachable:
        log.warning("unreachable", host=outcome.host, reason=outcome.unreachable)
    for app in outcome.apps:
        told = {"host": outcome.host, "app": app.app, "changed": app.changed}
        if app.well:
            log.info(app.status.value, **told)
        else:
            errors = "; ".join(str(problem) for problem in app.problems)
            log.error(app.status.value, **told, error=errors)


def log_run(log: Log, claim: Claim, finished: RunFinished) -> None:
    """How a run ended."""
    told = {"host": claim.work.host, "job": claim.work.args.get("job", ""), "id": claim.work.id}
    if finished.status == "failed":
        log.error("run-failed", **told, error=finished.error)
    else:
        log.info("run-ended", **told, status=finished.status)
