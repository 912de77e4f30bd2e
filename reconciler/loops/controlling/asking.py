"""How a one-shot command comes by control: it takes what is free, asks a watch, waits for anyone else."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.clock import Clock, ulid
from reconciler.errors import Refused, Unavailable
from reconciler.loops.controlling.control import LEASE_SECONDS
from reconciler.loops.controlling.planning import Situation
from reconciler.model.work import Lease
from reconciler.resources.values import dataclass
from reconciler.store import CONTROL, Answer, FleetState, ReconcileRequest, Store

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Asking:
    """One command's way to control.

    Args:
        holder: the name under which it takes the lease.
        who: the person, for the watch's history.
        tell: says what is waited for.
    """

    store: Store
    clock: Clock
    holder: str
    who: str
    tell: Callable[[str], None]

    def control_or_answer(
        self, situation: Situation, *, take_over: bool, reason: str, timeout_seconds: float
    ) -> Lease | Answer:
        """The control lease, or what the watch that holds it answered.

        Raises:
            Refused: a watch that follows another revision holds control.
            Unavailable: it was not to be had, or no answer came, in time.
        """
        deadline = self.clock.monotonic() + timeout_seconds
        told = ""
        while True:
            lease = self.store.leases.acquire(CONTROL, self.holder, LEASE_SECONDS, take_over=take_over)
            if lease:
                return lease
            holder = self._holder()
            watching = self._watching(holder)
            if watching:
                answer = self._ask(situation, watching, reason, deadline)
                if answer:
                    return answer
            elif holder and holder != told:
                told = holder
                self.tell(f"{holder} holds control; waiting for it to end (--take-over does not wait)")
            if self.clock.monotonic() >= deadline:
                raise Unavailable.of("no-control", f"{holder} held control for {timeout_seconds:g} s")
            self.clock.sleep(_POLL_SECONDS)

    def tell_of_drift(self) -> None:
        """Have a watch that holds control, if one does, take up now what was found; its answer is not waited for."""
        watching = self._watching(self._holder())
        if watching:
            self.store.fleet.request_reconcile(ReconcileRequest(ulid(self.clock.now()), self.who))
            self.tell(f"{watching.holder} holds control: told it of the drift")

    def _holder(self) -> str:
        current = self.store.leases.current(CONTROL)
        return current.holder if current else ""

    def _watching(self, holder: str) -> FleetState | None:
        """What the holder of control follows, if it is a watch."""
        state = self.store.fleet.current()
        return state if state and holder and state.holder == holder else None

    def _ask(self, situation: Situation, watching: FleetState, reason: str, deadline: float) -> Answer | None:
        """The watch's last word; None when it lost control meanwhile, or time is up."""
        revision = situation.desired.revision
        if watching.revision != revision:
            ours = _named(situation.tree.revision.branch, revision)
            message = f"{watching.holder} holds control, following {_named(watching.branch, watching.revision)}"
            hint = "Push there, wait for it to end, or --take-over"
            raise Refused.of("controlled-elsewhere", f"{message}; you are on {ours}", hint=hint)
        self.tell(f"{watching.holder} holds control and follows the same revision: asked it to reconcile now")
        request = ReconcileRequest(ulid(self.clock.now()), self.who, revision, reason)
        self.store.fleet.request_reconcile(request)
        while self.clock.monotonic() < deadline and self._holder() == watching.holder:
            answer = self.store.fleet.wait_answer(request.id, 1.0)
            if answer and answer.final:
                return answer
            if answer:
                self.tell(answer.text)
        return None


def _named(branch: str, revision: str) -> str:
    return f"{branch}@{revision}" if branch else revision
