"""Waiting for a condition, never for a time; shared by all tests that start processes."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.clock import SystemClock

PATIENCE_SECONDS = 120.0
"""Far beyond what anything takes; only a failure waits so long."""


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait for something to become true."""
    clock = SystemClock()
    began = clock.monotonic()
    deadline = began + PATIENCE_SECONDS
    while not condition():
        now = clock.monotonic()
        assert now < deadline, f"{what} did not happen within {PATIENCE_SECONDS:.0f} s"
        clock.sleep(min(max(2 * (now - began), 0.02), 0.5))  # a look that costs much leaves the processor to others
        began = clock.monotonic()
