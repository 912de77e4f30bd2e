"""What happened, for `reconcile history`: a stream of bounded length for each host, and one for the fleet.

A host's events stand in its own slot, where its agent may write. Who reads all of them merges the streams.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from reconciler.resources.values import dataclass, field
from reconciler.store.keys import Keys
from reconciler.store.link import compact, fields, moment
from reconciler.store.reading import Reading, json_map

FLEET_EVENTS_KEPT = 10_000
HOST_EVENTS_KEPT = 1_000
_PAGE = 100

Entry: TypeAlias = tuple[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One thing that happened."""

    at: datetime
    kind: str
    """A kebab-case word: `applied`, `paused`, `control-taken` ..."""
    host: str = ""
    app: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """`Store.journal`."""

    def __init__(self, keys: Keys, reading: Reading) -> None:
        self._reading = reading
        self._keys = keys

    def append(self, kind: str, *, host: str = "", app: str = "", **details: Any) -> None:
        """Add an event; the oldest make room."""
        kept = HOST_EVENTS_KEPT if host else FLEET_EVENTS_KEPT
        event = ("kind", kind, "app", app, "details", compact(details))
        self._reading.ask("XADD", self._stream(host), "MAXLEN", "~", kept, "*", *event, repeatable=False)

    def recent(self, limit: int = 50, *, host: str = "", app: str = "") -> Sequence[JournalEvent]:
        """The latest events, the newest first; only those of a host or an app where one is given."""
        hosts = [host] if host else ["", *self._hosts()]
        newest = self._reading.ask_all([("XREVRANGE", self._stream(name), "+", "-", "COUNT", 1) for name in hosts])
        streams = [self._events(name, page) for name, page in zip(hosts, newest, strict=True) if page]
        merged = heapq.merge(*streams, key=lambda event: event.at, reverse=True)
        return list(islice((event for event in merged if not app or event.app == app), limit))

    def _events(self, host: str, page: Sequence[Entry]) -> Iterator[JournalEvent]:
        """A host's events, the newest first; the first page was read, the others are when they are needed."""
        stream = self._stream(host)
        while page:
            yield from self._reading.records(stream, page, partial(_event, host))
            before = f"({page[-1][0].decode()}"
            page = self._reading.ask("XREVRANGE", stream, before, "-", "COUNT", _PAGE) or []

    def _stream(self, host: str) -> str:
        return (self._keys.host(host) if host else self._keys.control) + "events"

    def _hosts(self) -> Sequence[str]:
        key = self._keys.control + "hosts"
        return sorted(self._reading.records(key, self._reading.ask("SMEMBERS", key) or (), bytes.decode))


def _event(host: str, entry: Entry) -> JournalEvent:
    """What a stream holds; a host can only speak of itself."""
    entry_id, words = entry
    found = fields(words)
    at = moment(int(entry_id.partition(b"-")[0]) / 1000)
    if at is None:
        raise ValueError("no time")
    return JournalEvent(at, found["kind"], host, found["app"], json_map(found["details"]))
