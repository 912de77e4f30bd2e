"""Keeps leases alive beside long work: a thread that renews until the block ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from reconciler.errors import Unavailable

LEASE_SECONDS = 30.0


def renewal_seconds(lease_seconds: float) -> float:
    """How often a lease is renewed, so that two renewals may fail before it runs out."""
    return lease_seconds / 3


class Keeper:
    """Calls `renew` every few seconds while the block runs; `lost` tells whether a renewal was refused.

    Losing a lease ends nothing by itself: what is under way on a host is protected by the host's own lock.
    """

    def __init__(self, renew: Callable[[], bool], every_seconds: float) -> None:
        self._renew = renew
        self._every_seconds = every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)
        self.lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(self._every_seconds):
            try:
                if not self._renew():
                    self.lost = True
                    return
            except Unavailable:
                continue  # the server may be back before the lease runs out
