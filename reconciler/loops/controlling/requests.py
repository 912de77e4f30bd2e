"""What one-shot commands ask of a running watch: reconcile now, and tell when it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from reconciler.errors import ReconcilerError
from reconciler.loops.controlling.planning import Situation
from reconciler.loops.log import Log, SaidOnce
from reconciler.store import Answer, ReconcileRequest, Store

_DONE, _CANNOT, _FAILED = 0, 1, 3
_PAUSE_SECONDS = 1.0
"""Before asking again where nothing could be read."""


class Requests:
    """Collects requests in a thread of its own; the watch answers them when its turn has settled them."""

    def __init__(self, store: Store, log: Log, wake: Callable[[], None]) -> None:
        self._store = store
        self._log = log
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: list[ReconcileRequest] = []

    def run(self, stop: threading.Event) -> None:
        """Collect until `stop` is set; what keeps requests from being read is told once and survived."""
        said = SaidOnce()
        while not stop.is_set():
            try:
                request = self._store.fleet.wait_request(1.0)
            except ReconcilerError as error:
                said.say("requests", self._log.warning, "requests", error=str(error))
                stop.wait(_PAUSE_SECONDS)
                continue
            said.over("requests")
            if request:
                with self._lock:
                    self._waiting.append(request)
                self._wake()

    def waiting(self) -> Sequence[ReconcileRequest]:
        """Those that nobody has answered yet."""
        with self._lock:
            return tuple(self._waiting)

    def progress(self, text: str) -> None:
        """Let everyone who waits know what was just done."""
        for request in self.waiting():
            self._store.fleet.answer(request.id, Answer(text))

    def settle(self, situation: Situation, asked: Collection[ReconcileRequest], *, idle: bool, failed: bool) -> None:
        """Answer those who asked for another revision, and, once nothing moves any more, everyone.

        Args:
            situation: what is followed.
            asked: who waited before anything was read for it; who came later may know of more: the next turn is theirs.
            idle: nothing moves any more.
            failed: something did not succeed.
        """
        revision = situation.desired.revision
        for request in self._taken(
            lambda request: request in asked and (idle or request.revision not in {"", revision})
        ):
            if request.revision not in {"", revision}:
                self._answer(request, f"this controller follows {revision}, not {request.revision}", _CANNOT)
            else:
                self._answer(request, "it is done", _FAILED if failed else _DONE)

    def refuse(self, reason: str) -> None:
        """Nothing can be reconciled now: tell everyone why."""
        for request in self._taken(lambda _: True):
            self._answer(request, reason, _CANNOT)

    def _taken(self, chosen: Callable[[ReconcileRequest], bool]) -> list[ReconcileRequest]:
        with self._lock:
            taken = [request for request in self._waiting if chosen(request)]
            self._waiting = [request for request in self._waiting if request not in taken]
        return taken

    def _answer(self, request: ReconcileRequest, text: str, exit_code: int) -> None:
        self._store.fleet.answer(request.id, Answer(text, final=True, exit_code=exit_code))
