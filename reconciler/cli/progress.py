"""Joins an executor's events to the progress that people see while they wait."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.loops.converging.outcome import HostOutcome, Listener, Nobody
from reconciler.reports.progress import Progress, Show

if TYPE_CHECKING:
    from reconciler.loops.controlling.planning import Situation
    from reconciler.wiring.session import Session


_FRAME_SECONDS = 0.1


class Shown:
    """A listener that shows what it hears."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def started(self, host: str, app: str) -> None:
        self._progress.started(host, app)

    def working(self, host: str, app: str, resource: str) -> None:  # noqa: ARG002 - the port's signature
        self._progress.working(host, resource)

    def finished(self, outcome: HostOutcome) -> None:
        for app in outcome.apps:
            changed = f", {app.changed} changed" if app.changed else ""
            self._progress.finished(outcome.host, app.app, f"{app.status.value}{changed}", failed=not app.well)
        self._progress.host_done(outcome.host)


@contextmanager
def progress_of(situation: Situation, session: Session, console: Console) -> Iterator[Listener]:
    """A listener for the hosts with something due; live lines on a terminal, nothing elsewhere or with `-q`."""
    show = Show.fitting(sys.stderr, quiet=console.quiet)
    if show is not Show.LIVE:
        yield Nobody()
        return
    hosts = {host for host, _ in situation.due}
    over = threading.Event()
    with Progress(hosts, sys.stderr, session.clock, show=show, color=console.color) as progress:
        drawer = threading.Thread(target=_draw, args=(progress, over), name="progress", daemon=True)
        drawer.start()
        try:
            yield Shown(progress)
        finally:
            over.set()
            drawer.join()


def _draw(progress: Progress, over: threading.Event) -> None:
    while not over.wait(_FRAME_SECONDS):
        progress.tick()
