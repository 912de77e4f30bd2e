"""Grants named locks: the first in line of each lock may run, the next one when it has ended.

Done by whoever is on the ops server: a watch, and a command that waits for its run. Two at once are harmless, since
every step can be taken twice. A host never sees a lock; its run is held in its own slot until it is let go. What a host
says of its run is believed for as long as an honest one could take, no longer.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta

from reconciler.clock import Clock
from reconciler.model.work import WorkState
from reconciler.store import Store, Waiter

SUBMITTING = timedelta(seconds=60)
"""A run that joined a line and has no record after this long was never submitted."""


def grant_locks(store: Store, clock: Clock, agents: Container[str]) -> None:
    """Let everyone go whose turn it is."""
    line = list(store.locks.holders())
    while line:
        moved = [waiter.lock for waiter in line if _served(store, waiter, clock, agents)]
        line = [waiter for waiter in store.locks.holders() if waiter.lock in moved] if moved else []


def _served(store: Store, waiter: Waiter, clock: Clock, agents: Container[str]) -> bool:
    """Whether the waiter is done with the lock, so that the next one may have it."""
    work = store.work.get(waiter.host, waiter.id)
    if work is not None and work.state is WorkState.QUEUED:
        store.work.grant(waiter.host, waiter.id, agents=agents)
    done = work.state.finished and not work.ending if work is not None else clock.now() - waiter.since > SUBMITTING
    if not done and clock.now() > waiter.until:
        store.work.cancel(waiter.host, waiter.id, reason=f"its time with the lock {waiter.lock} is over")
        done = True
    if done:
        store.locks.leave(waiter)
    return done
