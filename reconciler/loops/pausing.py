"""Remembers, in Redis and in the host's own ledger, that people want a host or an app left alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from reconciler.loops.reach import Reach
from reconciler.model.observed import ObservedHost
from reconciler.store import Store


def pause(store: Store, reach: Reach, host: str, apps: Iterable[str], reason: str) -> None:
    """Set why these apps (`*`: the host) are paused; an empty reason resumes them.

    A host out of reach learns it from Redis when its executor works on it the next time.
    """
    known = store.observed.read([host]).get(host, ObservedHost())
    paused = {app: why for app, why in known.paused.items() if app not in set(apps)}
    paused |= {app: reason for app in apps if reason}
    store.observed.write_ledger(host, generation=known.generation, paused=paused, rejected=known.rejected)
    if host not in reach.local:
        return
    with closing(reach.open(host)) as transport:
        for app in apps:
            transport.pause(app, reason)
