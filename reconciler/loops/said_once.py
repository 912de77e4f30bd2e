"""A log that does not repeat itself: what goes on for long is told when it begins, and again when it is something else.

Used by the threads of a watch, each with one of its own; what is told elsewhere passes through `Log` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class SaidOnce:
    """Remembers what was said last of each subject."""

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
