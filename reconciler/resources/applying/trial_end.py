"""How a trial ends: what was applied stands, is taken back, or gets more time after a reboot.

Called by `engine` under the host's lock. Each names the trial that it means: an apply in between began another one.
"""

from __future__ import annotations

from typing import Iterator, List

from reconciler.resources.applying.going_back import go_back
from reconciler.resources.applying.holdings import Holdings
from reconciler.resources.applying.memory import Memory
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import Event, Finished, ResourceEvent
from reconciler.resources.records.book import Book
from reconciler.resources.records.ledger import reject
from reconciler.resources.records.trial import Trial, trial_to_json


def stand(book: Book, app: str, trial: Trial) -> bool:
    """Forget the way back; whether the app was on this trial, and its run had come to an end."""
    record = book.app(app)
    if record.trial != trial or not trial.ended:
        return False
    place = ("apps", app)
    book.put(((*place, "unfinished"), None), ((*place, "unconfirmed"), None))
    if record.status == "confirming":
        book.put(((*place, "status"), "converged"))
    book.save()
    return True


def prolong(book: Book, app: str, trial: Trial, system: System) -> bool:
    """Renew the trial for the boot that is now; whether the app was on it."""
    if book.app(app).trial != trial:
        return False
    renewed = trial.renewed(system.boot, system.clock.monotonic())
    book.put((("apps", app, "unfinished", "trial"), trial_to_json(renewed)))
    book.save()
    return True


def take_back(book: Book, app: str, trial: Trial, system: System) -> Iterator[Event]:
    """Go back to before the run; the first time the digest may be tried again, the second time it is rejected."""
    record = book.app(app)
    if record.trial != trial:
        yield Finished(record.status, record.resources, record.adopted)
        return
    memory, holdings = Memory(book, app, system), Holdings(book, app, trial.digest)
    memory.sweep()
    told: List[ResourceEvent] = []
    for event in go_back(book, memory, holdings, system):
        told.append(event)
        yield event
    again = record.unconfirmed == trial.digest
    error = _why(trial, told)
    place = ("apps", app)
    book.put(
        ((*place, "generation"), max(record.generation, trial.generation)),
        ((*place, "status"), "unconfirmed"),
        ((*place, "error"), error),
        ((*place, "unconfirmed"), trial.digest),
        ((*place, "rejected"), reject(record.rejected, trial.digest) if again else list(record.rejected)),
        ((*place, "changed_at"), system.clock.timestamp()),
        ((*place, "unfinished"), None),
    )
    book.save()
    now = book.app(app)
    changed = sum(event.action == "restored" for event in told)
    yield Finished("unconfirmed", now.resources, now.adopted, error, changed=changed, code="unconfirmed")


def _why(trial: Trial, told: List[ResourceEvent]) -> str:
    """What people read of it."""
    when = "after the reboot that followed the apply" if trial.rebooted else "after the apply"
    lost = "; ".join(f"{event.name}: {event.error}" for event in told if event.action == "failed")
    could_not = f". Not all could be: {lost}" if lost else ""
    return f"Redis could not be reached for {trial.seconds:g} s {when}, so it was taken back{could_not}"
