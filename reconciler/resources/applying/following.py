"""What a run of a job heeds while it goes on: what its programs print, its time, and whether it is still wanted.

Made by `engine` when the run is asked for, before it waits for the host's lock; used by `steps`.
"""

from __future__ import annotations

from typing import Callable

from reconciler.resources.applying.output import Output
from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import OutputEvent, RunEvent, RunRequest

CANCELLED = "cancelled"
LOST = "lost"
Tell = Callable[[RunEvent], None]
Stopped = Callable[[], str]
"""Why the run must end now: CANCELLED, LOST (it is someone else's now), or empty: it may go on."""


class Following:
    """Hears the programs of the run, and ends them when time is up or nobody wants them any more."""

    def __init__(self, request: RunRequest, system: System, tell: Tell, stopped: Stopped) -> None:
        self._clock = system.clock
        self._stopped = stopped
        self._output = Output(lambda text: tell(OutputEvent(text)), system.clock, request.secrets)
        asked_at = system.clock.monotonic()
        self._deadline = asked_at + request.timeout_seconds
        self._begin_by = asked_at + request.begin_seconds if request.begin_seconds else float("inf")
        self.aloud = False
        """Whether what is printed is passed on: of commands, not of the tools that resources use."""

    @property
    def overtaken(self) -> bool:
        """Whether someone else may have the run, or the host, although nothing here has heard of it.

        Only what has not begun to act stands back for that: a process that was stopped for a while, on a machine that
        slept or was too busy. What has begun goes on until it is told to end.
        """
        return self._clock.monotonic() > self._begin_by

    def begin(self) -> None:
        """It acts now, for the first time or again.

        Raises:
            Failure: as of `check`.
        """
        self.check()
        self._begin_by = float("inf")

    @property
    def remaining_seconds(self) -> float:
        """Until the run's time is up."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def hear(self, piece: bytes) -> None:
        """See Hearing."""
        if self.aloud:
            self._output.hear(piece)

    def over(self) -> bool:
        """See Hearing; asked before a program gets the word to go, too."""
        self._output.tick()
        over = bool(self._why()) or not self.remaining_seconds
        if self.aloud and not over:
            self._begin_by = float("inf")
        return over

    def flush(self) -> None:
        """Tell what was printed up to now."""
        self._output.close()

    def check(self) -> None:
        """Go on only while the run is wanted and has time.

        Raises:
            Failure: `cancelled`, `lost` or `timed-out`.
        """
        why = self._why()
        if why:
            raise Failure(why, "it was cancelled" if why == CANCELLED else "another executor has it now")
        if not self.remaining_seconds:
            raise Failure("timed-out", "its time is up", "Give the job a longer timeout, or look at what it waits for.")

    def _why(self) -> str:
        return self._stopped() or (LOST if self.overtaken else "")
