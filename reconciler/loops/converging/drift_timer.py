"""When each app on each host is looked at again, spread evenly so that a fleet is not looked at all at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

_SPREAD = 2**32


class DriftTimer:
    """Timers by (host, app); every one has a period and a place in it that a hash chooses."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str], float] = {}

    def due(self, periods: Mapping[tuple[str, str], float], now: float) -> tuple[tuple[str, str], ...]:
        """The pairs whose time has come, and their timers set anew. Pairs not in `periods` are dropped.

        Args:
            periods: (host, app) -> seconds between two looks.
            now: monotonic seconds.
        """
        self._next = {pair: self._next.get(pair, now + _offset(pair) * period) for pair, period in periods.items()}
        ripe = tuple(pair for pair, moment in self._next.items() if moment <= now)
        self._next.update({pair: now + periods[pair] for pair in ripe})
        return ripe


def _offset(pair: tuple[str, str]) -> float:
    """From 0 to 1, always the same for a pair."""
    return int.from_bytes(hashlib.sha256("/".join(pair).encode()).digest()[:4]) / _SPREAD
