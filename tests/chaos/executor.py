"""One executor of the chaos test, a process of its own: `python -m tests.chaos.executor DIRECTORY REFUSED`.

The product's worker with the product's crews, as `reconcile watch` has it, without a controller. Each write of it that
Redis refuses as stale is noted, a line each, in the file REFUSED.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.logging import configure_logging
from reconciler.loops.watching.worker import Worker
from reconciler.settings import load
from reconciler.store.link import Command
from reconciler.wiring.session import Access, Session, open_session
from tests.chaos.fleet import FLEET

_FENCED = frozenset(f"reconciler_work_{name}" for name in ("start", "renew", "finish", "output"))
_AGAIN_SECONDS = 0.3


class Noting:
    """A link that notes what is refused as stale."""

    def __init__(self, link: Any, refused: Path) -> None:
        self._link = link
        self._refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    def send(self, *command: Any, repeatable: bool = True) -> Any:
        reply = self._link.send(*command, repeatable=repeatable)
        self._note([command], [reply])
        return reply

    def send_all(self, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = self._link.send_all(commands)
        self._note(commands, replies)
        return replies

    def _note(self, commands: Sequence[Command], replies: Sequence[Any]) -> None:
        for command, reply in zip(commands, replies, strict=True):
            if len(command) > 1 and command[1] in _FENCED and reply in (0, [0]):
                with self._refused.open("a") as file:
                    file.write(f"{command[1]!s} {command[3]!s} {os.getpid()}\n")


def serve(session: Session, refused: Path, stop: threading.Event) -> None:
    """Work until told to stop."""
    session.reach.show(session.manifests(session.tree()))
    store = session.store
    store.work._link = Noting(store.work._link, refused)
    worker = Worker(
        session.executor(FLEET),
        store,
        lambda: session.reach.hosts,
        session.clock,
        structlog.get_logger("reconciler"),
        settled=lambda _: None,
        runs=lambda told: session.run_crew(FLEET, told),
    )
    worker.run(stop)


def main() -> None:
    """Begin again as long as Redis is away at the start, as systemd would do it."""
    directory, refused = Path(sys.argv[1]), Path(sys.argv[2])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with open_session(load(directory, os.environ), Access.WRITE, SystemClock()) as session:
                configure_logging("info", terminal=False, masker=session.masker)
                serve(session, refused, stop)
        except Unavailable:
            stop.wait(_AGAIN_SECONDS)


if __name__ == "__main__":
    main()
