"""The way back from a run: what it wrote, started and claimed becomes what it was before, as far as that can be.

Taken within a run that failed, and after one that was on trial. Everything here may be done twice: who is killed on
the way back starts it again.
"""

from __future__ import annotations

from typing import Iterator, Mapping

from reconciler.resources.applying.holdings import Holdings
from reconciler.resources.applying.memory import Memory
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.kinds.service import RESTART, Service
from reconciler.resources.machine.places import drop_empty
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.records.book import Book

Record = Mapping[str, Mapping[str, int]]
"""What a service was last restarted and reloaded with, see AppRecord.services."""


def go_back(book: Book, memory: Memory, holdings: Holdings, system: System) -> Iterator[ResourceEvent]:
    """Do it; afterwards the app's record in the book tells of the state before the run."""
    place = ("apps", holdings.app)
    yield from memory.roll_back(holdings)
    yield from _renew_services(book, memory.before["services"], holdings, system)
    parents = dict.fromkeys([*memory.before["parents"], *book.app(holdings.app).parents])
    left = drop_empty(system, parents, holdings.places())
    for name, value in {**memory.before, "parents": left, "services": book.app(holdings.app).services}.items():
        book.put(((*place, name), value))


def _renew_services(
    book: Book, before: Mapping[str, Record], holdings: Holdings, system: System
) -> Iterator[ResourceEvent]:
    """Services that run, and run with something that is gone, do so with what is back; their records say so."""
    serials = {key: owned.serial for key, owned in holdings.everything().items()}
    for key, record in list(book.app(holdings.app).services.items()):
        known = before.get(key, {})
        try:
            if _outdated(record, known, serials) and _restarted(key, system):
                yield ResourceEvent(key, key, RESTART)
        except EXPECTED as error:
            failure = as_failure(error)
            yield ResourceEvent(key, key, "failed", error=failure.text(), hint=failure.hint)
        else:
            current = {verb: {each: serials.get(each, at) for each, at in run.items()} for verb, run in known.items()}
            book.put((("apps", holdings.app, "services", key), current or None))


def _outdated(record: Record, known: Record, serials: Mapping[str, int]) -> bool:
    """Whether a service was last renewed with something else than what stands there now."""
    changed = any(serials.get(key) != at for run in record.values() for key, at in run.items())
    return changed or any(run.keys() - record.get(verb, {}).keys() for verb, run in known.items())


def _restarted(key: str, system: System) -> bool:
    service = Service(key.partition(":")[2])
    state = service.inspect(system)
    if state is None or not state.running:
        return False
    service.renew(system, RESTART)
    return True
