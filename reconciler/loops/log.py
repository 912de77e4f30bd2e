"""The log that loops write to, and a way not to repeat oneself in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Log(Protocol):
    """A structured log: events are names with key-values."""

    def info(self, event: str, **values: Any) -> Any: ...

    def warning(self, event: str, **values: Any) -> Any: ...

    def error(self, event: str, **values: Any) -> Any: ...


class SaidOnce:
    """Remembers what was said last of each subject: what goes on for long is told when it begins, and when it changes.

    Each thread of a watch has one of its own; what is told elsewhere passes through `Log` itself.
    """

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def say(self, subject: str, log: Callable[..., Any], event: str, **values: Any) -> None:
        """Log it, unless it is what was said last of this subject."""
        said = f"{event} {sorted(values.items())}"
        if self._said.get(subject) != said:
            log(event, **values)
            self._said[subject] = said

    def over(self, subject: str) -> None:
        """It is no longer so: if it comes again, it is said again."""
        self._said.pop(subject, None)
