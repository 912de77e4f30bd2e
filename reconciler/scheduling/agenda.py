"""What is due next: a heap, so that a look costs what is due, not what there is. Kept by the scheduler's loop."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Agenda(Generic[K]):
    """One moment for each key. Moving a key leaves its old entry in the heap, which is passed over when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, K]] = []
        self._current: dict[K, int] = {}
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._current)

    def put(self, key: K, moment: datetime | None) -> None:
        """Remember when a key is due next; None: never again."""
        self._current.pop(key, None)
        if moment is not None:
            number = self._current[key] = next(self._numbers)
            heapq.heappush(self._heap, (moment, number, key))

    def take(self, now: datetime) -> list[K]:
        """Take the keys that are due, the earliest first."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            _, number, key = heapq.heappop(self._heap)
            if self._current.get(key) == number:
                del self._current[key]
                found.append(key)
        return found
