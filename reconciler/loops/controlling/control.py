"""Holding control over the fleet: one controller at a time, by a lease with a term that only grows."""

from __future__ import annotations

import contextlib

from reconciler.clock import Clock
from reconciler.errors import Unavailable
from reconciler.model.work import Lease
from reconciler.store import CONTROL, Store

LEASE_SECONDS = 15.0
"""Another controller takes over after this long without a renewal."""
RENEW_SECONDS = 4.0


class Control:
    """Takes the lease when it is free and keeps it; asked before every turn, which renews it in time."""

    def __init__(self, store: Store, holder: str, clock: Clock) -> None:
        self._store = store
        self._holder = holder
        self._clock = clock
        self._lease: Lease | None = None
        self._renewed = 0.0

    def hold(self) -> Lease | None:
        """The lease, taken or renewed; None while someone else holds it."""
        now = self._clock.monotonic()
        if self._lease and now - self._renewed < RENEW_SECONDS:
            return self._lease
        if self._lease and not self._store.leases.renew(self._lease, LEASE_SECONDS):
            self._lease = None
        if self._lease is None:
            self._lease = self._store.leases.acquire(CONTROL, self._holder, LEASE_SECONDS)
        self._renewed = now
        return self._lease

    @property
    def leads(self) -> bool:
        """Whether this process has control, as far as it knows."""
        return self._lease is not None

    def renew(self) -> bool:
        """Renew beside a long turn (`Keeper`); False when the lease is lost."""
        return self._lease is not None and self._store.leases.renew(self._lease, LEASE_SECONDS)

    def release(self) -> None:
        """Let the next controller in without a wait."""
        if self._lease:
            with contextlib.suppress(Unavailable):  # it runs out by itself
                self._store.leases.release(self._lease)
            self._lease = None
