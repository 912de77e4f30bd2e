"""Runs the notifier and the dead man's switch beside the controller of a watch, while that holds control."""

from __future__ import annotations

import threading

from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.monitoring.dead_man import DeadMan
from reconciler.loops.monitoring.notifier import Notifier
from reconciler.model.manifests import Manifests
from reconciler.resources.values import dataclass

TICK_SECONDS = 1.0
ALIVE_SECONDS = 120.0
"""A watch that took no turn for so long is not well."""


@dataclass(frozen=True, slots=True)
class _Leadership:
    """What held at the last turn of the watch."""

    manifests: Manifests
    source_age_seconds: float
    at: float
    """By the monotonic clock."""


class Notifying:
    """See the module."""

    def __init__(self, notifier: Notifier, dead_man: DeadMan, clock: Clock, log: Log) -> None:
        self._notifier = notifier
        self._dead_man = dead_man
        self._clock = clock
        self._log = log
        self._said = SaidOnce()
        self._leadership: _Leadership | None = None

    def lead(self, manifests: Manifests, source_age_seconds: float) -> None:
        """The watch took a turn: it controls the fleet, which is to be as these manifests say.

        Args:
            manifests: of the last turn.
            source_age_seconds: how long ago their source was last in reach.
        """
        self._leadership = _Leadership(manifests, source_age_seconds, self._clock.monotonic())

    def stand_by(self) -> None:
        """Someone else controls the fleet."""
        self._leadership = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what keeps it from working is told once and survived."""
        while not stop.wait(TICK_SECONDS):
            try:
                self.tick()
            except ReconcilerError as error:
                self._said.say("notifier", self._log.warning, "notifier", error=str(error))
            else:
                self._said.over("notifier")

    def tick(self) -> None:
        """Send what is due, and say that all is well where it is.

        Raises:
            Unavailable: Redis is away.
        """
        leadership = self._leadership
        if leadership is None:
            return
        self._notifier.tick(leadership.manifests)
        if self._well(leadership):
            self._dead_man.tick(leadership.manifests.fleet)

    def _well(self, leadership: _Leadership) -> bool:
        """Whether the watch takes its turns and its source is fresh; that Redis answers was seen just before."""
        silent = self._clock.monotonic() - leadership.at
        fresh = leadership.source_age_seconds + silent <= leadership.manifests.fleet.stale_source_seconds
        return fresh and silent <= ALIVE_SECONDS
