"""The dead man's switch: Fleet `deadMan` is called every minute while all is well.

Whoever owns the URL raises the alarm when the calls stay away, also where the ops server is gone as a whole.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.monitoring.notifier import Resolve, clear
from reconciler.model.delivery import Delivery, Outcome
from reconciler.model.manifests import Fleet

EVERY_SECONDS = 60.0


class DeadMan:
    """Calls the URL.

    Args:
        call: one GET of a URL.
        resolve: secrets by path, as they are now.
        clock: where time comes from.
        log: is told when a call does not arrive.
    """

    def __init__(
        self,
        call: Callable[[str], Delivery],
        resolve: Resolve,
        clock: Clock,
        log: Log,
    ) -> None:
        self._call = call
        self._resolve = resolve
        self._clock = clock
        self._log = log
        self._said = SaidOnce()
        self._called = float("-inf")

    def tick(self, fleet: Fleet) -> None:
        """All is well: call, where a minute has passed."""
        url, now = fleet.dead_man, self._clock.monotonic()
        if url is None or now - self._called < EVERY_SECONDS:
            return
        self._called = now
        try:
            told = self._call(clear(url, self._resolve))
            reason = "" if told.outcome is Outcome.SENT else told.reason
        except ReconcilerError as error:
            reason = str(error)
        if reason:
            self._said.say("call", self._log.error, "dead-man-not-called", reason=reason)
        else:
            self._said.over("call")
