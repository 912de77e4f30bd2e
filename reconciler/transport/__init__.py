"""How the resource library reaches a host: in this process, or (the only room with paramiko) over SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import Event, Request, RunEvent, RunRequest
from reconciler.resources.records.ledger import Ledger


class Transport(Protocol):
    """A host within reach. Every method may raise `Unavailable`; none raises for a resource that fails."""

    def facts(self) -> Mapping[str, Any]:
        """Stable facts of the host: os, kernel, architecture, cores, memory_bytes, hostname, addresses."""
        ...

    def ledger(self) -> Ledger:
        """What the host knows of itself."""
        ...

    def apply(self, request: Request) -> Iterator[Event]:
        """Bring an app to its state; the last event is `Finished`."""
        ...

    def inspect(self, request: Request) -> Iterator[Event]:
        """Look only: the same events, with the actions that an apply would take."""
        ...

    def perform(self, request: RunRequest, tell: Callable[[RunEvent], None]) -> None:
        """Do a run of a job; everything is told as it happens, last of all `RunFinished`."""
        ...

    def stop(self, why: str) -> None:
        """End the run that is under way, if there is one; called from another thread. `why` is `steps.Stopped`'s."""
        ...

    def pause(self, app: str, reason: str) -> None:
        """Remember in the ledger that people paused an app (`*`: the host); an empty reason resumes it."""
        ...

    def close(self) -> None:
        """Let go of the host."""
        ...


class Machine(Protocol):
    """A whole host, to install something on it. Every method may raise `Unavailable`, also for a disk that is full.

    Programs and paths are the host's own; what is written belongs to root where we are root there.
    """

    def run(
        self, *argv: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", seconds: float = 300.0
    ) -> Completed:
        """Run a program to its end; one that does not exist ends with 127."""
        ...

    def read(self, path: str) -> bytes | None:
        """A regular file; None where there is none."""
        ...

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace a file in one step; directories on the way are made."""
        ...

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link there in one step."""
        ...

    def names(self, directory: str) -> Sequence[str]:
        """What stands in a directory, sorted; nothing where there is none."""
        ...

    def close(self) -> None:
        """Let go of the host."""
        ...
