"""Work that was given to agents: which of it is done, and whose agent is silent.

Asked by one-shot commands, which wait for it, and by the watch, which releases what waited for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from reconciler.clock import Clock
from reconciler.errors import Place, Problem
from reconciler.loops.controlling.planning import Pair, Situation
from reconciler.loops.controlling.recorded import recorded
from reconciler.loops.converging.outcome import AppOutcome, HostOutcome, Listener
from reconciler.loops.hosts.silence import silent_agents
from reconciler.model.observed import AppStatus
from reconciler.model.work import WorkState, mark_of
from reconciler.resources.values import dataclass, field
from reconciler.store import Store

UNTAKEN_SECONDS = 45.0
"""How long a living agent may leave work alone; longer than any lease of a run that was cut off."""
UNMOVED_SECONDS = 3600.0
"""How long an agent may be at work on an app without an end to it; it goes on, and nobody waits for it any longer."""
POLL_SECONDS = 0.1

_UNDER_WAY = frozenset({WorkState.LEASED, WorkState.RUNNING})


@dataclass(slots=True)
class Given:
    """Remembers what agents were given.

    Args:
        agents: the hosts whose own agent works on them.
    """

    store: Store
    agents: Callable[[], Container[str]]
    clock: Clock
    _open: set[Pair] = field(default_factory=set)

    def give(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Remember those of the pairs that are agents' work, and return the others."""
        agents, asked = self.agents(), list(pairs)
        self._open.update(pair for pair in asked if pair[0] in agents)
        return [pair for pair in asked if pair[0] not in agents]

    @property
    def open(self) -> bool:
        """Whether any of it was not done when last asked."""
        return bool(self._open)

    def settled(self) -> frozenset[Pair]:
        """What was done since the last time."""
        done = self._open - self._states(self._open).keys()
        self._open -= done
        return frozenset(done)

    def silent(self) -> Mapping[str, str]:
        """Host -> since when nothing was heard of it, among those that have not done their work."""
        return silent_agents(self.store, self.clock, {host for host, _ in self._open})

    def drop(self, hosts: Container[str]) -> None:
        """Do not wait for these; their work stays and is done when they are back."""
        self._open = {pair for pair in self._open if pair[0] not in hosts}

    def wait(self, situation: Situation, listener: Listener) -> Iterator[HostOutcome]:
        """Wait until all is done, or nothing more can be expected; one outcome for each host."""
        pairs = sorted(self._open)
        shown: set[Pair] = set()
        began = busy = moved = self.clock.monotonic()
        while self._open:
            states = self._states(self._open)
            begun = {pair for pair, state in states.items() if state in _UNDER_WAY}
            fresh = begun - shown
            for host, app in sorted(fresh):
                listener.started(host, app)
            shown |= fresh
            done = self.settled()
            silent = self.silent()
            now = self.clock.monotonic()
            busy = now if done or begun else busy
            moved = now if done or fresh else moved
            yield from self._ended(situation, pairs, done, now - began, listener)
            yield from (HostOutcome(host, unreachable=since, seconds=now - began) for host, since in silent.items())
            self.drop(silent)
            if now - busy > UNTAKEN_SECONDS or now - moved > UNMOVED_SECONDS:
                yield from (_unended(host, app, begun=(host, app) in begun) for host, app in sorted(self._open))
                self._open.clear()
            if self._open:
                self.clock.sleep(POLL_SECONDS)

    def _ended(
        self, situation: Situation, pairs: Iterable[Pair], done: Container[Pair], seconds: float, listener: Listener
    ) -> Iterator[HostOutcome]:
        """The outcomes of hosts that have done all that they were given."""
        left = {host for host, _ in self._open}
        hosts = {host for host, app in pairs if (host, app) in done} - left
        for outcome in recorded(self.store, situation, [pair for pair in pairs if pair[0] in hosts]):
            timed = HostOutcome(outcome.host, outcome.apps, seconds)
            listener.finished(timed)
            yield timed

    def _states(self, pairs: Iterable[Pair]) -> Mapping[Pair, WorkState]:
        asked = list(pairs)
        found = self.store.work.states([(host, mark_of(app)) for host, app in asked])
        return {pair: state for pair, state in zip(asked, found, strict=True) if state}


def _unended(host: str, app: str, *, begun: bool) -> HostOutcome:
    message = "its agent is there, but has not " + ("come to an end with this" if begun else "taken this up")
    problem = Problem(
        Place(host=host, app=app), message, "Look at its log: journalctl -u reconciler-agent", "host-busy"
    )
    return HostOutcome(host, (AppOutcome(app, AppStatus.WAITING, problems=(problem,)),))
