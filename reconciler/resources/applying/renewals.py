"""Which services need a restart or a reload, decided from the ledger: restarts are state, not events.

A service's record holds the serial of every trigger that it was last (re)started or reloaded with. The engine asks
before acting, records right after acting, and a run after a kill comes to the same answer.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from reconciler.resources.applying.holdings import Holdings
from reconciler.resources.kinds.registry import Item
from reconciler.resources.kinds.service import RELOAD, RESTART, Service
from reconciler.resources.machine.system import System
from reconciler.resources.records.book import Book, Put
from reconciler.resources.tools.service_tools import ServiceState

_PATH = "path:"


class Renewals:
    """The services of one app and what they were started with."""

    def __init__(
        self, items: Sequence[Item], holdings: Holdings, steps: Mapping[str, Any], book: Book, system: System
    ) -> None:
        self._items = items
        self._holdings = holdings
        self._steps = steps
        self._book = book
        self._system = system
        self._records: Dict[str, Mapping[str, Mapping[str, int]]] = dict(book.app(holdings.app).services)

    def services(self) -> List[Item]:
        """Services that are wanted running, in declared order."""
        return [item for item in self._items if isinstance(item.resource, Service) and item.resource.running]

    def needed(self, item: Item) -> str:
        """`restart`, `reload`, or empty."""
        for verb in (RESTART, RELOAD):
            if self._outdated(item, verb):
                return verb
        return ""

    def _outdated(self, item: Item, verb: str) -> bool:
        current = self._serials(item, verb)
        known = self._records.get(item.id, {}).get(verb, {})
        if any(key in known and known[key] != serial for key, serial in current.items()):
            return True
        unknown = [key for key in current if key not in known]
        if any(key in self._steps for key in unknown):
            return True
        everything = self._holdings.everything()
        if any(key not in current and key not in everything for key in known):
            return True
        return bool(unknown) and self._newer(item, unknown)

    def _newer(self, item: Item, keys: Sequence[str]) -> bool:
        """Whether a file changed after the service started, where there is no record to tell."""
        state: Any = item.resource.inspect(self._system)
        if not isinstance(state, ServiceState) or not state.running or not state.started_at:
            return False
        everything = self._holdings.everything()
        entries = [self._system.look(everything[key].path) for key in keys if everything[key].path]
        return any(entry is not None and entry.modified > state.started_at for entry in entries)

    def _serials(self, item: Item, verb: str) -> Dict[str, int]:
        service = item.resource
        assert isinstance(service, Service)  # noqa: S101 - `services` and the caller see to it
        everything = self._holdings.everything()
        found: Dict[str, int] = {}
        for trigger in service.triggers(verb):
            if trigger.startswith(_PATH):
                from fnmatch import fnmatchcase  # noqa: PLC0415 - few apps need it, and every start would pay

                pattern = trigger[len(_PATH) :]
                found.update({key: o.serial for key, o in everything.items() if fnmatchcase(o.path, pattern)})
            else:
                named = [other.id for other in self._items if trigger in {other.wanted.name, other.id}]
                found.update({key: everything[key].serial for key in named if key in everything})
        return dict(sorted(found.items()))

    def renewed(self, item: Item, verb: str) -> List[Put]:
        """The ledger's changes after a service was started, restarted or reloaded."""
        verbs = (RELOAD,) if verb == RELOAD else (RESTART, RELOAD)
        record = {**self._records.get(item.id, {}), **{each: self._serials(item, each) for each in verbs}}
        self._records[item.id] = record
        return [(("apps", self._holdings.app, "services", item.id), record)]

    def settle(self) -> List[Put]:
        """At the end of a good run: every running service runs with what stands there; others have no record."""
        running = [item for item in self.services() if self._triggered(item)]
        puts = [put for item in running for put in self.renewed(item, RESTART)]
        gone = set(self._records) - {item.id for item in running}
        return puts + [(("apps", self._holdings.app, "services", key), None) for key in sorted(gone)]

    def owe(self) -> List[Put]:
        """At the end of a failed run: what was changed and not yet renewed is owed to services without a record."""
        puts: List[Put] = []
        for item in self.services():
            record = {verb: dict(self._records.get(item.id, {}).get(verb, {})) for verb in (RESTART, RELOAD)}
            for verb, known in record.items():
                known.update({key: -1 for key in self._serials(item, verb) if key not in known and key in self._steps})
            puts.append((("apps", self._holdings.app, "services", item.id), record))
        return puts

    def _triggered(self, item: Item) -> bool:
        return isinstance(item.resource, Service) and bool(item.resource.restart_on or item.resource.reload_on)
