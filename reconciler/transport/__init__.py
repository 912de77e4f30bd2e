"""How the resource library reaches a host: in this process, or (the only room with paramiko) over SSH."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from reconciler.resources.ledger import Ledger
from reconciler.resources.protocol import Event, Request


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

    def pause(self, app: str, reason: str) -> None:
        """Remember in the ledger that people paused an app (`*`: the host); an empty reason resumes it."""
        ...

    def close(self) -> None:
        """Let go of the host."""
        ...
