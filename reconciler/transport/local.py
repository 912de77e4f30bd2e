"""The host that this process runs on, or a sandbox on it; made by wiring for `connection.type: local`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import Place, Unavailable
from reconciler.resources.applying import engine
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import Event, Request, RunEvent, RunRequest
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.ledger import Ledger
from reconciler.resources.records.trial import Trial


class LocalTransport:
    """Runs the resource library in this process. `root` is a sandbox's directory, made where it does not exist."""

    def __init__(
        self, host: str, fleet: str, root: Path | None, facts: Callable[[], Mapping[str, Any]], clock: Clock
    ) -> None:
        self._host = host
        self._fleet = fleet
        self._root = root
        self._facts = facts
        self._clock = clock
        self._opened: System | None = None
        self._stop = ""

    def facts(self) -> Mapping[str, Any]:
        """See Transport."""
        return self._facts()

    def ledger(self) -> Ledger:
        """See Transport."""
        try:
            return read_ledger(self._system(), self._fleet, self._host)
        except EXPECTED as error:
            raise self._unavailable(error) from error

    def apply(self, request: Request) -> Iterator[Event]:
        """See Transport."""
        return engine.apply(request, self._system())

    def inspect(self, request: Request) -> Iterator[Event]:
        """See Transport."""
        return engine.inspect(request, self._system())

    def perform(self, request: RunRequest, tell: Callable[[RunEvent], None]) -> None:
        """See Transport."""
        engine.perform(request, self._system(), tell, lambda: self._stop)

    def stop(self, why: str) -> None:
        """See Transport."""
        self._stop = why

    def pause(self, app: str, reason: str) -> None:
        """See Transport."""
        try:
            engine.pause(self._system(), self._fleet, self._host, app, reason)
        except EXPECTED as error:
            raise self._unavailable(error) from error

    def forgive(self, app: str) -> None:
        """Forget which digests of an app failed here, so that they may be tried again."""
        try:
            engine.forgive(self._system(), self._fleet, self._host, app)
        except EXPECTED as error:
            raise self._unavailable(error) from error

    @property
    def boot(self) -> str:
        """Identifies the time since this machine was started."""
        return self._system().boot

    def confirm(self, app: str, trial: Trial) -> bool:
        """What was applied on this trial stands; False where the app is on another by now, or on none."""
        try:
            return engine.confirm(self._system(), self._fleet, self._host, app, trial)
        except EXPECTED as error:
            raise self._unavailable(error) from error

    def renew(self, app: str, trial: Trial) -> bool:
        """Give the trial all of its time again, after a reboot; False as for `confirm`."""
        try:
            return engine.renew(self._system(), self._fleet, self._host, app, trial)
        except EXPECTED as error:
            raise self._unavailable(error) from error

    def undo(self, app: str, trial: Trial) -> Iterator[Event]:
        """Take back what was applied on this trial; the last event is `Finished`."""
        return engine.undo(self._system(), self._fleet, self._host, app, trial)

    def close(self) -> None:
        """See Transport. Nothing is held."""
        self._opened = None

    def _system(self) -> System:
        if self._opened is None:
            self._opened = PosixSystem(str(self._root or "/"), clock=self._clock)
        return self._opened

    def _unavailable(self, error: Exception) -> Exception:
        failure = as_failure(error)
        return Unavailable.of(failure.code, failure.text(), place=Place(host=self._host), hint=failure.hint)
