"""Remembers, in Redis and in the host's own ledger, that people want a host or an app left alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from reconciler.errors import Unavailable
from reconciler.loops.hosts.reach import Reach
from reconciler.model.observed import ObservedHost
from reconciler.store import Store


def pause(store: Store, reach: Reach, host: str, apps: Iterable[str], reason: str) -> str:
    """Set why these apps (`*`: the host) are paused; an empty reason resumes them.

    Returns:
        Why the host's own ledger could not be told, empty where it was. Redis holds it in any case, and the host learns
        it from there when its executor works on it the next time.

    Raises:
        Unavailable: Redis, or a host of this machine, cannot be reached.
    """
    known = store.observed.read([host]).get(host, ObservedHost())
    paused = {app: why for app, why in known.paused.items() if app not in set(apps)}
    paused |= {app: reason for app in apps if reason}
    store.observed.write_ledger(host, generation=known.generation, paused=paused, rejected=known.rejected)
    if host not in reach.hosts:
        return ""
    try:
        with closing(reach.open(host)) as transport:
            for app in apps:
                transport.pause(app, reason)
    except Unavailable as error:
        if not reach.remote(host):
            raise
        return str(error)
    return ""
