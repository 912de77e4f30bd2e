"""Builds the scheduler of a watch; called by the session."""

from __future__ import annotations

from collections.abc import Callable, Container

from reconciler.clock import Clock
from reconciler.loops.log import Log
from reconciler.loops.monitoring.monitor import Current
from reconciler.loops.running.submitting import Submitter
from reconciler.loops.scheduling.conditions import FleetConditions
from reconciler.loops.scheduling.scheduler import Scheduler
from reconciler.loops.scheduling.starting import Starting
from reconciler.store import Store


def scheduler_of(
    store: Store,
    submitter: Submitter,
    *,
    leads: Callable[[], bool],
    agents: Callable[[], Container[str]],
    current: Callable[[], Current | None],
    clock: Clock,
    log: Log,
) -> Scheduler:
    """What starts runs by time or on a condition, while `leads` says that this process controls the fleet.

    `current` is how the monitor of this process saw the fleet last.
    """
    return Scheduler(
        store=store,
        starting=Starting(submitter.submit, store, clock),
        conditions=lambda manifests: FleetConditions(store, manifests, current()),
        leads=leads,
        agents=agents,
        clock=clock,
        log=log,
    )
