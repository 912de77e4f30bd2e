"""Alerts that name an app are held back on a host while the app is applied there, and a little longer.

The mark stands in the host's slot and ends by itself, so that an executor that dies holds nothing back for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.errors import ReconcilerError
from reconciler.store import Store

LONGEST_APPLY_SECONDS = 900.0
GRACE_SECONDS = 30.0
"""Shorter than the pause between two tries of an app that fails, whose alerts are to come through."""


@contextmanager
def alerts_held(store: Store, host: str, app: str) -> Iterator[None]:
    """Hold the alerts back while the block runs. Where Redis is away they are not, and nothing else is disturbed."""
    with suppress(ReconcilerError):
        store.alerts.hold(host, app, LONGEST_APPLY_SECONDS)
    try:
        yield
    finally:
        with suppress(ReconcilerError):
            store.alerts.hold(host, app, GRACE_SECONDS)
