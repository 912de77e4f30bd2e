"""Waits for runs that were submitted, and carries them out itself where no watch does."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from reconciler.clock import Clock, milliseconds
from reconciler.loops.running.following import RunFollowing
from reconciler.loops.running.run_crew import RunCrew
from reconciler.loops.running.run_executor import NOT_BACK
from reconciler.model.run import JobPolicy
from reconciler.model.work import Work, WorkState
from reconciler.resources.values import dataclass
from reconciler.store import CONTROL, Store

_POLL_SECONDS = 0.3
_LONGEST_SECONDS = 30 * 86_400.0
_TOO_LATE = "nobody took it in time"
_ENDLESS = "its host says that it goes on for longer than it can"
_GRACE_SECONDS = 5.0
"""For an agent that is just back, after the time that its host was given for a restart."""


@dataclass(frozen=True, slots=True)
class RunWaiting:
    """One command's waiting.

    Args:
        crew: made when it turns out that this process has to do the work.
        within_reach: the hosts that this process could work on.
    """

    store: Store
    clock: Clock
    crew: Callable[[], RunCrew]
    within_reach: Collection[str]

    def wait(self, following: RunFollowing) -> None:
        """Until every run has ended. One that nobody began in time, or whose host stayed away, is cancelled.

        What a host says of a run is believed for as long as an honest one could take.
        """
        until = {(work.host, work.id): self._until(work) for work in following.works}
        following.turn()
        while following.waiting:
            if not self._watched():
                self.crew().start(sorted({work.host for work in following.waiting if work.host in self.within_reach}))
            self.clock.sleep(_POLL_SECONDS)
            following.turn()
            for work in following.waiting:
                over = self.clock.now().timestamp() > until[work.host, work.id]
                if reason := _ENDLESS if over else self._in_vain(work):
                    self.store.work.cancel(work.host, work.id, reason=reason)
                if over:
                    following.end(work, _ENDLESS)

    def give_up(self, following: RunFollowing) -> tuple[Work, ...]:
        """Cancel what this process was doing; those that go on without it, by a watch or an agent."""
        others = following.waiting
        if not self._watched():
            for work in others:
                if work.host in self.within_reach:
                    self.store.work.cancel(work.host, work.id, reason="interrupted")
            others = tuple(work for work in others if work.host not in self.within_reach)
        return others

    def _in_vain(self, work: Work) -> str:
        """Why it makes no sense to wait for it any longer; empty: it does."""
        if work.state is WorkState.QUEUED and work.attempt == 0 and self._late(work):
            return _TOO_LATE
        away = work.state is WorkState.RETRYING and work.host not in self.within_reach and self._stayed_away(work)
        return NOT_BACK if away else ""

    def _until(self, work: Work) -> float:
        """Unix seconds when it has ended at the latest, by what was just asked for; else by what may be asked for."""
        try:
            run = json.loads(work.args["run"])
            bundle = self.store.desired.bundles([run["bundle"]])[run["bundle"]]
            return float(run["notAfter"]) / 1000 + JobPolicy.from_json(bundle.content["policy"]).longest_seconds
        except (ValueError, TypeError, LookupError):
            return self.clock.now().timestamp() + _LONGEST_SECONDS

    def _stayed_away(self, work: Work) -> bool:
        """Whether its host restarts for longer than it was given; its agent could tell only once it is back."""
        try:
            until = float(work.result["until"])
        except (ValueError, TypeError, LookupError):
            return False
        return self.clock.now().timestamp() > until + _GRACE_SECONDS

    def _late(self, work: Work) -> bool:
        """Whether nobody may begin it any more; whatever stands there is good enough to give up by."""
        try:
            return milliseconds(self.clock.now()) > int(json.loads(work.args["run"])["notAfter"])
        except (ValueError, TypeError, LookupError):
            return False

    def _watched(self) -> bool:
        """Whether a watch is there, which carries out runs."""
        holder, state = self.store.leases.current(CONTROL), self.store.fleet.current()
        return holder is not None and state is not None and state.holder == holder.holder
