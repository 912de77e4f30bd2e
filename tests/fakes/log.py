"""A log that keeps the names of its events."""

from __future__ import annotations

from typing import Any


class FakeLog:
    """Every level is the same to it."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_: Any) -> None:
        """Keep it."""
        self.events.append(event)

    warning = error = info
