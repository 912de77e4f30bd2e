"""Time and chance, the only room that asks for either; everything else is handed a `Clock`."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Protocol

from reconciler.ulids import milliseconds, ulid_of

__all__ = ["Clock", "SystemClock", "chance", "milliseconds", "ulid"]


class Clock(Protocol):
    """A source of time. Tests hand in one that they move by themselves."""

    def now(self) -> datetime:
        """The wall clock, as an aware UTC datetime."""
        ...

    def timestamp(self) -> float:
        """The wall clock, in Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point, never going back; for durations and timers."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for that long."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def timestamp(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def chance() -> float:
    """A number from 0 up to, not including, 1."""
    return int.from_bytes(os.urandom(7)) / (1 << 56)


def ulid(moment: datetime) -> str:
    """A new ULID (26 characters, sorts by time): 48 bits of milliseconds, 80 bits of chance.

    Source: https://github.com/ulid/spec
    """
    return ulid_of(moment, os.urandom(10))
