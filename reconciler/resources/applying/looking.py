"""A look at an app on this host: the events of an apply, with what it would do, and nothing done.

Built by `engine`; needs no lock and writes nothing.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, Tuple

from reconciler.resources.applying.converge import succession
from reconciler.resources.applying.holdings import Holdings
from reconciler.resources.applying.pruning import Fate, as_it_was_applied, farewells
from reconciler.resources.applying.renewals import Renewals
from reconciler.resources.applying.survey import survey
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.kinds.registry import Item, parse_all
from reconciler.resources.kinds.resource import DELETE
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import Event, Finished, Request, ResourceEvent
from reconciler.resources.records.book import Book
from reconciler.resources.records.ledger import AppRecord, Owned


class Looking:
    """One look; what an apply would change is changed in a ledger that is only in memory."""

    def __init__(self, request: Request, system: System) -> None:
        self._request = request
        self._system = system
        self._drift = 0

    def events(self) -> Iterator[Event]:
        """Look; the last event is Finished with in-sync, drifted or failed."""
        book = Book(self._system, self._request.fleet, self._request.host, writable=False)
        book.put(*succession(self._request, book))
        record = book.app(self._request.app)
        items = () if self._request.remove else parse_all(self._request.resources, sandbox=self._system.sandbox)
        holdings = Holdings(book, self._request.app, self._request.digest)
        declared = holdings.declared(items)
        steps: Dict[str, bool] = {}
        for item in items:
            yield self._look(item, holdings, declared, steps)
        yield from self._farewells(record, holdings, items)
        yield from self._renewals(Renewals(items, holdings, steps, book, self._system))
        status = "drifted" if self._drift else "in-sync"
        yield Finished(status, record.resources, record.adopted, changed=self._drift)

    def _look(self, item: Item, holdings: Holdings, declared: FrozenSet[str], steps: Dict[str, bool]) -> ResourceEvent:
        name, sensitive = item.wanted.name, item.wanted.sensitive
        try:
            held = holdings.find(item)
            finding = survey(item, held, declared, self._request.adopt, self._system)
        except EXPECTED as failed:
            self._drift += 1
            failure = as_failure(failed)
            return ResourceEvent(item.id, name, "failed", error=failure.text(sensitive=sensitive), hint=failure.hint)
        if finding.difference:
            self._drift += 1
            steps[item.id] = True
            holdings.claim(item, _changed(item), held)
        refusal = finding.refusal
        action = "failed" if refusal else finding.difference.action or "ok"
        error, hint = (refusal.text(), refusal.hint) if refusal else ("", "")
        return ResourceEvent(item.id, name, action, finding.difference.lines, finding.before, error, hint)

    def _farewells(self, record: AppRecord, holdings: Holdings, items: Tuple[Item, ...]) -> Iterator[Event]:
        request = as_it_was_applied(self._request, record)
        places = {item.resource.place for item in items if not item.resource.absent}
        for farewell in farewells(request, holdings.owned, places):
            if farewell.fate is Fate.REMOVE:
                self._drift += 1
                holdings.forget(farewell.key)
                yield ResourceEvent(farewell.key, farewell.key, DELETE)
            elif farewell.fate in {Fate.LEAVE, Fate.HOLD}:
                yield ResourceEvent(farewell.key, farewell.key, "left", (farewell.reason,))

    def _renewals(self, renewals: Renewals) -> Iterator[Event]:
        for item in renewals.services():
            verb = renewals.needed(item)
            if verb:
                self._drift += 1
                yield ResourceEvent(item.id, item.wanted.name, verb)


def _changed(item: Item) -> Owned:
    """What would stand in the ledger after a change, with a serial that no service has seen."""
    return Owned(item.wanted.fingerprint, item.wanted.kind, item.resource.place, serial=-1)
