"""The way in: apply an app on a host, look at it, do a run of a job, or note that people paused it.

Called by transports, in-process or at the far end of a channel. Whatever goes wrong on the host is told as an event,
never raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from reconciler.resources.applying.converge import Converge
from reconciler.resources.applying.looking import Looking
from reconciler.resources.applying.masking import masked_event
from reconciler.resources.applying.trial_end import prolong, stand, take_back
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.machine.system import Claim, System
from reconciler.resources.protocol import Event, Finished, Request, RunEvent, RunFinished, RunRequest
from reconciler.resources.records.book import Book
from reconciler.resources.records.trial import Trial

if TYPE_CHECKING:
    from reconciler.resources.applying.following import Stopped, Tell


def apply(request: Request, system: System) -> Iterator[Event]:
    """Bring an app to its state on this host; the last event is Finished.

    Holds the host's lock until the iterator ends. Kill it at any moment: the next run goes on from there.
    """
    claim = Claim(request.term, request.token, f"{request.fleet} {request.host} {request.app}")
    for event in _told(_apply(request, system, claim)):
        yield masked_event(event, request.secrets)


def _apply(request: Request, system: System, claim: Claim) -> Iterator[Event]:
    with system.exclusive(claim):
        yield from Converge(request, system, Book(system, request.fleet, request.host)).events()


def inspect(request: Request, system: System) -> Iterator[Event]:
    """Tell what an apply would do, without the lock and without a write; the last event is Finished."""
    for event in _told(Looking(request, system).events()):
        yield masked_event(event, request.secrets)


def perform(request: RunRequest, system: System, tell: Tell, stopped: Stopped) -> None:
    """Do a run of a job on this host; the last event that is told is RunFinished.

    Holds the host's lock where the run changes resources, else one of its own. Kill it at any moment: the next delivery
    knows that it had started.
    """
    from reconciler.resources.applying.following import Following  # noqa: PLC0415 - most connections are for apps
    from reconciler.resources.applying.steps import StepRun  # noqa: PLC0415
    from reconciler.resources.records.run_record import RunBook  # noqa: PLC0415

    def tell_masked(event: RunEvent) -> None:
        tell(masked_event(event, request.secrets))

    book = RunBook(system, request)
    following = Following(request, system, tell_masked, stopped)
    claim = Claim(0, request.token, f"{request.fleet} {request.host} run {request.job} {request.id}")
    try:
        with system.exclusive(claim, "" if request.exclusive else book.place):
            book.prepare()
            StepRun(request, system, book, tell_masked, following).go()
    except EXPECTED as error:
        failure = as_failure(error)
        tell_masked(RunFinished("failed", error=failure.text(), hint=failure.hint, code=failure.code))


def pause(system: System, fleet: str, host: str, app: str, reason: str) -> None:
    """Note that people paused an app (`*`: the host); an empty reason resumes it.

    Raises:
        Failure, OSError: such as host-busy.
    """
    with system.exclusive(Claim(0, 0, f"{fleet} {host} pause")):
        book = Book(system, fleet, host)
        book.put((("paused", app), reason or None))
        book.save()


def forgive(system: System, fleet: str, host: str, app: str) -> None:
    """Forget which digests of an app failed here, so that they may be tried again.

    Raises:
        Failure, OSError: such as host-busy.
    """
    with system.exclusive(Claim(0, 0, f"{fleet} {host} retry {app}")):
        book = Book(system, fleet, host)
        record = book.app(app)
        if record.rejected or record.unconfirmed:
            book.put((("apps", app, "rejected"), []), (("apps", app, "unconfirmed"), None))
        book.save()


def confirm(system: System, fleet: str, host: str, app: str, trial: Trial) -> bool:
    """What was applied on this trial stands from now on; False where the app is on another one by now, or on none.

    Raises:
        Failure, OSError: such as host-busy.
    """
    with system.exclusive(Claim(0, 0, f"{fleet} {host} confirm {app}")):
        return stand(Book(system, fleet, host), app, trial)


def renew(system: System, fleet: str, host: str, app: str, trial: Trial) -> bool:
    """The machine has booted: the trial gets all of its time again; False as for `confirm`, and raises as that."""
    with system.exclusive(Claim(0, 0, f"{fleet} {host} renew {app}")):
        return prolong(Book(system, fleet, host), app, trial, system)


def undo(system: System, fleet: str, host: str, app: str, trial: Trial) -> Iterator[Event]:
    """Take back what was applied on this trial; the last event is Finished, without others where it is over.

    Kill it at any moment: the next one, or the next apply, goes on from there.
    """
    return _told(_undo(system, fleet, host, app, trial))


def _undo(system: System, fleet: str, host: str, app: str, trial: Trial) -> Iterator[Event]:
    with system.exclusive(Claim(0, 0, f"{fleet} {host} undo {app}")):
        yield from take_back(Book(system, fleet, host), app, trial, system)


def _told(events: Iterator[Event]) -> Iterator[Event]:
    """The events, and an error as the last of them."""
    try:
        yield from events
    except EXPECTED as error:
        failure = as_failure(error)
        yield Finished("failed", error=failure.text(), hint=failure.hint, code=failure.code)
