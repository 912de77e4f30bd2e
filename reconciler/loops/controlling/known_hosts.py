"""The observed state of the whole fleet, kept between the turns of a watch so that a saved file is planned at once.

Reading ten thousand hosts takes a second. Work is level-triggered, so a plan on what was known a few seconds ago is
harmless: at worst something is due that has just been done, and its apply finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.clock import Clock
from reconciler.model.observed import ObservedHost
from reconciler.store import Store

OLDEST_SECONDS = 30.0
"""A watch's sweep reads everything anew earlier than that, unless one saved file follows the other."""


class KnownHosts:
    """Reads everything once in a while, and in between only what is said to have changed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hosts: dict[str, ObservedHost] = {}
        self._asked: set[str] = set()
        self._read_at = float("-inf")
        self._changed: set[str] = set()

    def read(self, hosts: Iterable[str]) -> Mapping[str, ObservedHost]:
        """All hosts that were ever heard from, as known now.

        Args:
            hosts: those of the manifests; after Redis was emptied it cannot name them itself.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        now = self._clock.monotonic()
        changed, self._changed = self._changed, set()
        if now - self._read_at >= OLDEST_SECONDS:
            self._asked = {*self._store.observed.hosts(), *hosts}
            self._hosts = dict(self._store.observed.read(self._asked))
            self._read_at = now
        elif changed or not self._asked.issuperset(hosts):
            changed |= set(hosts) - self._asked
            self._asked |= changed
            self._hosts |= self._store.observed.read(changed)
        return self._hosts

    def forget(self) -> None:
        """Read everything anew the next time."""
        self._read_at = float("-inf")

    def changed(self, hosts: Iterable[str]) -> None:
        """These are not as they were: read them anew the next time."""
        self._changed = self._changed | set(hosts)
