"""Whether a host is still in touch with Redis after an apply on trial; where it is not, the apply is taken back.

Beside the loop of an agent, in a thread of its own. A connection from before the apply proves nothing, since it may
live on where no new one is let through: contact is something written over a connection that was opened for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Protocol

from reconciler.clock import Clock
from reconciler.errors import Place, ReconcilerError, Unavailable
from reconciler.loops.log import Log
from reconciler.resources.protocol import Event, Finished
from reconciler.resources.records.ledger import Ledger
from reconciler.resources.records.trial import Trial, Verdict, judge

TICK_SECONDS = 2.0


class Host(Protocol):
    """The agent's own host. Every method may raise `Unavailable`."""

    @property
    def boot(self) -> str: ...

    def ledger(self) -> Ledger: ...

    def confirm(self, app: str, trial: Trial) -> bool:
        """What was applied on this trial stands; False where the app is on another by now, or on none."""
        ...

    def renew(self, app: str, trial: Trial) -> bool:
        """Give the trial all of its time again, after a reboot; False as for `confirm`."""
        ...

    def undo(self, app: str, trial: Trial) -> Iterator[Event]:
        """Take back what was applied on this trial; the last event is Finished."""
        ...

    def close(self) -> None: ...


class Confirming:
    """Ends the trials of one host.

    Args:
        name: of the host.
        open_host: a way to it.
        contact: writes something to Redis over a connection that it opens for this; raises ReconcilerError.
    """

    def __init__(
        self,
        name: str,
        open_host: Callable[[], Host],
        contact: Callable[[], None],
        clock: Clock,
        log: Log,
    ) -> None:
        self._name = name
        self._open_host = open_host
        self._contact = contact
        self._clock = clock
        self._log = log
        self._reached = float("-inf")
        """When there last was contact, in monotonic seconds."""
        self._told = ""
        self._turn = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Look after trials until `stop` is set; what goes wrong is told once and tried again."""
        while not stop.is_set():
            try:
                self.tick()
                self._told = ""
            except ReconcilerError as error:
                if str(error) != self._told:
                    self._told = str(error)
                    self._log.warning("confirming", error=self._told)
            stop.wait(TICK_SECONDS)

    def confirm(self, app: str) -> bool:
        """Right after an apply: whether it stands. Where there is no contact now, `run` goes on trying."""
        try:
            self.tick()
            with closing(self._open_host()) as host:
                return host.ledger().apps[app].status == "converged"
        except ReconcilerError:
            return False

    def tick(self) -> None:
        """Confirm what is on trial, or judge it where there is no contact.

        Raises:
            Unavailable: the host is busy with an apply, which ends the trial or begins a new one.
        """
        with self._turn, closing(self._open_host()) as host:
            trials = {app: trial for app, record in host.ledger().apps.items() if (trial := record.trial) is not None}
            if not trials:
                return
            in_touch = self._in_touch()
            for app, trial in trials.items():
                if not in_touch:
                    self._judge(host, app, trial)
                elif trial.ended and host.confirm(app, trial):
                    self._log.info("confirmed", host=self._name, app=app)

    def _in_touch(self) -> bool:
        try:
            self._contact()
        except ReconcilerError:
            return False
        self._reached = self._clock.monotonic()
        return True

    def _judge(self, host: Host, app: str, trial: Trial) -> None:
        verdict = judge(trial, host.boot, self._clock.monotonic(), self._reached)
        if verdict is Verdict.RENEW:
            host.renew(app, trial)
        elif verdict is Verdict.TAKE_BACK:
            self._take_back(host, app, trial)

    def _take_back(self, host: Host, app: str, trial: Trial) -> None:
        finished = [event for event in host.undo(app, trial) if isinstance(event, Finished)][-1]
        if finished.status == "failed":
            place = Place(host=self._name, app=app)
            raise Unavailable.of(finished.code, finished.error, place=place, hint=finished.hint)
        self._log.error(finished.status, host=self._name, app=app, error=finished.error)
