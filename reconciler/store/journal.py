"""What happened, for `reconcile history`: a stream of events of bounded length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconciler.store.keys import Keys
from reconciler.store.link import Link, compact, fields
from reconciler.store.reading import Reading, json_map

EVENTS_KEPT = 10_000
_PAGE = 500


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

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._key = keys.control + "events"

    def append(self, kind: str, *, host: str = "", app: str = "", **details: Any) -> None:
        """Add an event; the oldest make room."""
        event = ("kind", kind, "host", host, "app", app, "details", compact(details))
        self._link.send("XADD", self._key, "MAXLEN", "~", EVENTS_KEPT, "*", *event, repeatable=False)

    def recent(self, limit: int = 50, *, host: str = "", app: str = "") -> Sequence[JournalEvent]:
        """The latest events, the newest first; only those of a host or an app where one is given."""
        found: list[JournalEvent] = []
        last = "+"
        while len(found) < limit:
            page = self._reading.ask("XREVRANGE", self._key, last, "-", "COUNT", _PAGE) or []
            events = self._reading.records(self._key, page, lambda entry: _event(*entry))
            found += [event for event in events if (not host or event.host == host) and (not app or event.app == app)]
            if len(page) < _PAGE:
                break
            last = f"({page[-1][0].decode()}"
        return found[:limit]


def _event(entry_id: bytes, words: Sequence[bytes]) -> JournalEvent:
    found = fields(words)
    at = datetime.fromtimestamp(int(entry_id.partition(b"-")[0]) / 1000, UTC)
    return JournalEvent(at, found["kind"], found["host"], found["app"], json_map(found["details"]))
