"""A run that is under way in this process: its claim, its way to the host, and what it printed lately.

Made by `run_crew`, used by `run_executor`. A thread beside the run beats once a second: it stores what was printed,
keeps the lease, and ends the run when it was cancelled or has become someone else's.
"""

from __future__ import annotations

import threading

from reconciler.clock import Clock
from reconciler.errors import Unavailable
from reconciler.loops.keeper import LEASE_SECONDS, renewal_seconds
from reconciler.model.work import Claim, Lease, WorkState
from reconciler.resources.applying.following import CANCELLED, LOST
from reconciler.resources.machine.system import OUTPUT_BYTES
from reconciler.store import Store
from reconciler.transport import Transport

BEAT_SECONDS = 1.0
_LITTLE_SECONDS = 0.001


class LiveRun:
    """One run. Its methods may be called from any thread.

    Args:
        claim: what makes it ours.
        store: where that stands.
        clock: of this process.
        lease_seconds: how long it stays ours without a renewal.
        asked_at: when the claim was asked for, by the monotonic clock; None: just now.
    """

    def __init__(
        self,
        claim: Claim,
        store: Store,
        clock: Clock,
        lease_seconds: float = LEASE_SECONDS,
        asked_at: float | None = None,
    ) -> None:
        self.claim = claim
        self.lease: Lease | None = None
        """The right to work on the host, of a run in the main lane."""
        self.why = ""
        """Why it must end: CANCELLED, LOST, or empty: it may go on."""
        self.settled = False
        """Its claim was ended on purpose, and it may still go on."""
        self.recorded = claim
        """The claim under which its end is told; another one that was given to us by then is to be begun anew."""
        self._store = store
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._lock = threading.Lock()
        self._text = ""
        self._transport: Transport | None = None
        self.asked_at = clock.monotonic() if asked_at is None else asked_at
        self._renewed_at = self.asked_at

    @property
    def held_seconds(self) -> float:
        """How long it is ours for certain, the host as well; little where that time is over."""
        return max(_LITTLE_SECONDS, self._renewed_at + self._lease_seconds - self._clock.monotonic())

    def through(self, transport: Transport | None) -> None:
        """This is its way to the host from now on."""
        with self._lock:
            self._transport = transport

    def stop(self, why: str) -> None:
        """End it; nothing that ended it before is forgotten."""
        with self._lock:
            self.why = self.why or why
            if self._transport is not None:
                self._transport.stop(self.why)

    def say(self, text: str) -> None:
        """Print; the last 64 KiB wait to be stored."""
        with self._lock:
            self._text = (self._text + text)[-OUTPUT_BYTES:]

    def beat(self) -> bool:
        """Store what was printed, hold what is held, end what nobody wants; always True, to be called again."""
        if self.settled or self.claim.work.state.finished:
            return True
        try:
            if not self._stored():
                self.stop(self._reason())
            elif self._clock.monotonic() - self._renewed_at >= renewal_seconds(self._lease_seconds):
                self._renew()
        except Unavailable:
            pass  # a run goes on without Redis, which may be back before the lease runs out
        if self.why:
            self.stop(self.why)
        return True

    def flush(self) -> None:
        """Store what was printed last."""
        self._stored()

    def _stored(self) -> bool:
        with self._lock:
            text, self._text = self._text, ""
        try:
            return self._store.work.add_output(self.claim, text)
        except Unavailable:
            with self._lock:
                self._text = (text + self._text)[-OUTPUT_BYTES:]
            raise

    def _renew(self) -> None:
        began = self._clock.monotonic()
        held = self._store.work.renew(self.claim, self._lease_seconds)
        if self.lease is not None:
            held = bool(self._store.leases.renew(self.lease, self._lease_seconds)) and held
        if held:
            self._renewed_at = began

    def _reason(self) -> str:
        known = self._store.work.get(self.claim.work.host, self.claim.work.id)
        withdrawn = known is not None and known.state in {WorkState.CANCELLED, WorkState.SUPERSEDED}
        return CANCELLED if withdrawn else LOST
