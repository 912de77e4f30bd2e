"""Time that moves only when someone sleeps or a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime


class FakeClock:
    """A clock that starts at some second and stands still."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def timestamp(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
