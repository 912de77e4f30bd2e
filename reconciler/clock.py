"""Time and chance, the only room that asks for either; everything else is handed a `Clock`."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of time. Tests hand in one that they move by themselves."""

    def now(self) -> datetime:
        """The wall clock, as an aware UTC datetime."""
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

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """Unix time in whole milliseconds, the unit of generations; exact, unlike a float of seconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def chance() -> float:
    """A number from 0 up to, not including, 1."""
    return int.from_bytes(os.urandom(7)) / (1 << 56)


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(moment: datetime) -> str:
    """A new ULID (26 characters, sorts by time): 48 bits of milliseconds, 80 bits of chance.

    Source: https://github.com/ulid/spec
    """
    number = (milliseconds(moment) << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
