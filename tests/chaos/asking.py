"""Asks for the runs: composes, signs and enqueues them as `reconcile run` does, asks twice for some, cancels some."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from reconciler.clock import ulid
from reconciler.errors import Unavailable
from reconciler.loops.running.submitting import Order
from reconciler.model.manifests import Manifests
from reconciler.model.tree import Tree
from reconciler.model.work import WorkState
from reconciler.settings import load
from reconciler.wiring.session import Access, Session, open_session
from tests.chaos.evidence import Asked
from tests.chaos.fleet import BY_NAME, ENDLESS, FLEET, JOBS, KILLS_ITS_EXECUTOR, Job

_AGAIN_SECONDS = 0.2
_MOST_HOSTS = 40
_RUNS_FOR_A_POISON = 4000
_TWICE, _CANCELLED = 0.1, 0.1
"""Shares of the orders that are given twice, and of which some hosts are cancelled."""
_OPEN_AT_MOST = 4000
"""Runs that have not ended; more are asked for when there are fewer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A job on some hosts, as chance decided before anything began."""

    job: Job
    hosts: tuple[str, ...]
    priority: int
    twice: bool
    cancelled: tuple[str, ...]


def wishes(chance: Random, hosts: Sequence[str], runs: int) -> list[Wish]:
    """What will be asked for: that many runs on single hosts."""
    made: list[Wish] = []
    weights = [job.share for job in JOBS]
    special = [KILLS_ITS_EXECUTOR] * (runs // _RUNS_FOR_A_POISON)
    special += [name for name, share in ENDLESS.items() for _ in range(max(1, int(runs * share)))]
    left = runs - len(special)
    while left > 0:
        count = min(left, chance.randint(1, _MOST_HOSTS), len(hosts))
        chosen = tuple(sorted(chance.sample(list(hosts), count)))
        job = chance.choices(JOBS, weights)[0]
        cancelled = chosen[: chance.randint(1, count)] if chance.random() < _CANCELLED else ()
        made.append(Wish(job, chosen, chance.randint(0, 9), chance.random() < _TWICE, cancelled))
        left -= count
    made += [Wish(BY_NAME[name], (chance.choice(list(hosts)),), 5, twice=False, cancelled=()) for name in special]
    chance.shuffle(made)
    return made


class Asking:
    """Asks in a thread of its own until everything was asked for."""

    def __init__(self, root: Path, url: str, made: Sequence[Wish]) -> None:
        self._root = root
        self._url = url
        self._wishes = made
        self._long: deque[tuple[str, str]] = deque()
        self._cancelled: set[tuple[str, str]] = set()
        self._asked: list[Asked] = []
        self._thread = threading.Thread(target=self._run, name="asking", daemon=True)
        self._over = threading.Event()
        self.tries = 0
        """How often Redis was away when it was asked something."""
        self.open = 0
        """How many runs have not ended, told by who counts them."""

    def start(self) -> None:
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all was asked for, and cancelled what was to be."""
        return self._over.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def asked(self) -> list[Asked]:
        """All that was asked for up to now."""
        return [replace(each, cancelled=(each.host, each.id) in self._cancelled) for each in list(self._asked)]

    def _run(self) -> None:
        environment = {"RECONCILER_REDIS_URL": self._url, "RECONCILER_CACHE_DIR": str(self._root / "cache")}
        with open_session(load(self._root, {**os.environ, **environment}), Access.WRITE) as session:
            tree = session.tree()
            manifests = session.manifests(tree)
            session.reach.show(manifests)
            for wish in self._wishes:
                while self.open > _OPEN_AT_MOST:
                    session.clock.sleep(_AGAIN_SECONDS)
                self._ask(session, tree, manifests, wish)
                self._cancel_begun(session)
            while self._long:
                session.clock.sleep(_AGAIN_SECONDS)
                self._cancel_begun(session)
        self._over.set()

    def _ask(self, session: Session, tree: Tree, manifests: Manifests, wish: Wish) -> None:
        now = session.clock.now()
        order = Order(
            id=ulid(now),
            job=manifests.jobs[wish.job.name],
            params={},
            hosts=wish.hosts,
            not_after=now + timedelta(hours=1),
            by="chaos",
            priority=wish.priority,
        )
        self._asked += [Asked(host, order.id, wish.job, priority=wish.priority) for host in wish.hosts]
        for _ in range(1 + wish.twice):
            self._until_done(
                session,
                lambda: session.submitter(FLEET).submit(
                    order, manifests, lambda origin, path: session.loader.locate(tree, origin, path)
                ),
            )
        if wish.job.name in ENDLESS:
            self._long.append((wish.hosts[0], order.id))
        for host in wish.cancelled:
            self._cancel(session, host, order.id)

    def _cancel(self, session: Session, host: str, id_: str) -> None:
        """Cancel, and know for sure whether it was."""

        def cancel() -> None:
            session.store.work.cancel(host, id_, reason="chaos")

        self._until_done(session, cancel)

        def look() -> None:
            work = session.store.work.get(host, id_)
            if work and work.state is WorkState.CANCELLED:
                self._cancelled.add((host, id_))

        self._until_done(session, look)

    def _cancel_begun(self, session: Session) -> None:
        """Cancel what takes long, once it is under way; what ended by itself needs it no more."""
        for _ in range(len(self._long)):
            host, id_ = self._long.popleft()

            def look(host: str = host, id_: str = id_) -> None:
                work = session.store.work.get(host, id_)
                if work and work.state is WorkState.RUNNING:
                    self._cancel(session, host, id_)
                elif not work or not work.state.finished:
                    self._long.append((host, id_))

            self._until_done(session, look)

    def _until_done(self, session: Session, act: object) -> None:
        assert callable(act)
        while True:
            try:
                act()
            except Unavailable:
                self.tries += 1
                session.clock.sleep(_AGAIN_SECONDS)
            else:
                return
