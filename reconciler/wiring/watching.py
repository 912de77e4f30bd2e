"""Builds a watch from what a session has, and what it follows. No command but `reconcile watch` loads it."""

from __future__ import annotations

import threading

from reconciler.loops.controlling.control import Control
from reconciler.loops.log import Log
from reconciler.loops.monitoring.monitor import Monitor
from reconciler.loops.watching.following import FollowedBranch, FollowedTree, Source
from reconciler.loops.watching.watch import Watch
from reconciler.source.mirror import Mirror
from reconciler.wiring.monitoring import fleet_measuring
from reconciler.wiring.notifying import notifying
from reconciler.wiring.scheduling import scheduler_of
from reconciler.wiring.session import Session


def watch_of(session: Session, source: Source, fleet: str, log: Log) -> Watch:
    """The ops server's loop."""
    store, clock, reach = session.store, session.clock, session.reach
    monitor = Monitor(store, store.metrics.newest, clock, log)
    return Watch(
        source=source,
        planning=session.planning,
        controller=session.controller(fleet),
        executor=session.executor(fleet),
        control=Control(store, session.holder, clock),
        store=store,
        hosts=lambda: reach.hosts,
        given=session.given,
        runs=lambda told: session.run_crew(fleet, told),
        monitor=monitor,
        notifying=notifying(store, session.settings, session.masker, clock, log),
        measuring=fleet_measuring(
            store, reach, session.composer.renderer, clock=clock, log=log, closing=session.closing
        ),
        scheduler=lambda leads: scheduler_of(
            store,
            session.submitter(fleet),
            leads=leads,
            agents=lambda: reach.agents,
            current=lambda: monitor.current,
            clock=clock,
            log=log,
        ),
        clock=clock,
        log=log,
    )


def tree_source(session: Session, stop: threading.Event, log: Log) -> FollowedTree:
    """The working tree as a source of a watch."""
    return FollowedTree(session.working_tree, lambda: session.tree_at("HEAD"), session.settings.repository, stop, log)


def branch_source(
    session: Session, url: str, branch: str, *, interval_seconds: float, stop: threading.Event, log: Log
) -> FollowedBranch:
    """A branch of a repository as a source of a watch."""
    settings = session.settings
    mirror = Mirror(url, branch, settings.mirrors, timeout_seconds=settings.git_timeout_seconds)
    return FollowedBranch(session.closing.enter_context(mirror), interval_seconds, session.clock, log, stop)
