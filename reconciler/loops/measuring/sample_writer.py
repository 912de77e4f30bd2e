"""Samples on their way to Redis: they wait here while it is away, bounded, and go in the order in which they came.

Filled by the collector's sampling thread and emptied by its writing thread. A sample carries its age, so that the
server's clock alone says when it was; what the server answers tells how our clock stands to its.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.clock import Clock
from reconciler.loops.measuring.ring import RAW_SECONDS
from reconciler.model.samples import Measuring
from reconciler.resources.values import dataclass
from reconciler.store import HostSample, Store, Written

MOST_WAITING = 720
"""Samples of one host that wait, an hour at the usual interval; of more the oldest are dropped."""
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A sample that was not written yet."""

    at: float
    """Monotonic seconds."""
    values: Mapping[str, float]
    status: str
    kept: Container[str]


class SampleWriter:
    """Writes samples of many hosts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Waiting]] = {}
        self._ahead: float | None = None
        self.measuring = Measuring()
        self.dropped = 0
        """How many samples were given up since all were written."""

    @property
    def count(self) -> int:
        """How many samples wait."""
        return sum(map(len, self._waiting.values()))

    def add(self, host: str, sample: Waiting) -> None:
        """Let a sample wait for its turn."""
        with self._lock:
            queue = self._waiting.setdefault(host, deque(maxlen=MOST_WAITING))
            self.dropped += len(queue) == MOST_WAITING
            queue.append(sample)

    def deliver(self) -> Mapping[str, Written]:
        """Write what waits, oldest first for each host; host -> what the server says of its last sample.

        Raises:
            Unavailable: Redis cannot be reached; what was not written waits on.
            InvalidInput: we may not write there.
        """
        written: dict[str, Written] = {}
        while batch := self._batch():
            now, measuring = self._clock.monotonic(), self.measuring
            replies = self._store.metrics.write([_form(host, sample, now, measuring) for host, sample in batch])
            self._ahead = replies[-1].server_time.timestamp() - (now + self._clock.monotonic()) / 2
            self._done(batch)
            written |= {host: reply for (host, _), reply in zip(batch, replies, strict=True)}
        self.dropped = 0
        return written

    def server_time(self, at: float) -> float | None:
        """Unix time by the server's clock at a monotonic moment; None before the first write."""
        return None if self._ahead is None else at + self._ahead

    def past(self, host: str, windows: Mapping[str, float]) -> Mapping[str, Sequence[tuple[float, float]]]:
        """What the store remembers of the metrics that are looked back at: text of a series -> monotonic time, value.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        latest = self._store.metrics.latest([host]).get(host)
        if latest is None or self._ahead is None:
            return {}
        now = datetime.fromtimestamp(self._clock.monotonic() + self._ahead, UTC)
        recent = now - timedelta(seconds=RAW_SECONDS)
        names = [name for name in latest.values if windows.get(name.partition("[")[0])]
        raw = self._store.metrics.series(host, names, recent, now)
        found: dict[str, Sequence[tuple[float, float]]] = {}
        for name in names:
            since = now - timedelta(seconds=windows[name.partition("[")[0]])
            long_ago = self._store.metrics.rollups(host, name, since, recent) if since < recent else ()
            points = [(part.at + timedelta(seconds=150), part.average) for part in long_ago] + list(raw[name])
            found[name] = [(at.timestamp() - self._ahead, value) for at, value in points if at >= since]
        return found

    def _batch(self) -> list[tuple[str, Waiting]]:
        with self._lock:
            everything = ((host, sample) for host, queue in self._waiting.items() for sample in queue)
            return [pair for pair, _ in zip(everything, range(MOST_AT_ONCE), strict=False)]

    def _done(self, batch: Sequence[tuple[str, Waiting]]) -> None:
        with self._lock:
            for host, sample in batch:
                queue = self._waiting[host]
                if queue and queue[0] is sample:
                    queue.popleft()


def _form(host: str, sample: Waiting, now: float, measuring: Measuring) -> HostSample:
    return HostSample(
        host,
        sample.values,
        sample.kept,
        sample.status,
        age_seconds=now - sample.at,
        interval_seconds=measuring.interval_seconds,
        raw_seconds=measuring.raw_seconds,
        rollup_seconds=measuring.rollup_seconds,
    )
