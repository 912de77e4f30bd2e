"""Which of some work agents have in hand: they took it and have not told its end, or are about to take it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.loops.controlling.planning import Pair
from reconciler.loops.hosts.silence import SILENT_SECONDS
from reconciler.model.work import WorkState, mark_of
from reconciler.store import Store

_TAKEN = frozenset({WorkState.LEASED, WorkState.RUNNING})


def at_work(store: Store, pairs: Iterable[Pair]) -> frozenset[Pair]:
    """Those of the (host, app) pairs. What a silent agent has not taken does not count; what it took does."""
    asked = list(pairs)
    states = dict(zip(asked, store.work.states([(host, mark_of(app)) for host, app in asked]), strict=True))
    queued = {pair for pair, state in states.items() if state is WorkState.QUEUED}
    ages = store.observed.ages({host for host, _ in queued})
    alive = {host for host, age in ages.items() if age is not None and age <= SILENT_SECONDS}
    taken = {pair for pair, state in states.items() if state in _TAKEN}
    return frozenset(taken | {pair for pair in queued if pair[0] in alive})
