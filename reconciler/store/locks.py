"""Named locks over the whole fleet: who waits for which, in order. The first one has the lock.

Kept by whoever submits and grants runs, on the ops server. What a host knows of it is only that its run is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.clock import milliseconds
from reconciler.resources.values import dataclass
from reconciler.store.keys import Keys
from reconciler.store.link import Link, moment
from reconciler.store.reading import Reading, number

WAITING_SECONDS = 30 * 86_400
"""Nobody waits for longer than a record of a run is kept."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """A run that waits for a lock, or has it."""

    lock: str
    host: str
    id: str
    since: datetime
    until: datetime
    """When it has ended at the latest, whatever its host says of it."""

    @property
    def place(self) -> str:
        """As it stands in the line."""
        return f"{self.host} {self.id} {milliseconds(self.until)}"


class NamedLocks:
    """`Store.locks`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._keys = keys
        self._reading = reading
        self._names = keys.control + "locks"

    def join(self, waiter: Waiter) -> None:
        """Wait behind those who wait already; who does so twice keeps the first place."""
        key, since = self._keys.lock(waiter.lock), waiter.since.timestamp()
        self._link.send_all(
            [
                ("ZADD", key, "NX", since, waiter.place),
                ("EXPIRE", key, WAITING_SECONDS),
                ("SADD", self._names, waiter.lock),
            ]
        )

    def leave(self, waiter: Waiter) -> None:
        """Let the next one have it."""
        self._link.send("ZREM", self._keys.lock(waiter.lock), waiter.place)

    def holders(self) -> Sequence[Waiter]:
        """The first in line of every lock that anyone waits for."""
        found = self._reading.ask("SMEMBERS", self._names) or ()
        names = sorted(self._reading.records(self._names, found, bytes.decode))
        replies = self._reading.ask_all([("ZRANGE", self._keys.lock(name), 0, 0, "WITHSCORES") for name in names])
        first = [(name, reply) for name, reply in zip(names, replies, strict=True) if reply]
        return self._reading.records(self._names, first, lambda pair: _waiter(*pair))


def _waiter(name: str, reply: Sequence[bytes]) -> Waiter:
    host, id_, until_ms = reply[0].decode().split(" ")
    since, until = moment(float(reply[1])), moment(number(until_ms) / 1000)
    if since is None or until is None:
        raise ValueError("no time")
    return Waiter(name, host, id_, since, until)
