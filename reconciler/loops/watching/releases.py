"""Which due work a watch has released already, so that nothing is done over and over."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from reconciler.resources.values import dataclass, replace

Pair = tuple[str, str]
"""(host, app)."""

TRUST_SECONDS = 30.0
"""How long a mark that was released is trusted to be worked on; afterwards it is set again, which harms nothing."""
LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Release:
    digest: str
    at: float
    times: int = 1
    """How often the same digest was worked on and was due again at once."""
    settled: bool = False


class Releases:
    """Remembers what was released for which digest; times are monotonic seconds.

    What is due again right after it was worked on is given longer and longer pauses, up to a minute.
    """

    def __init__(self) -> None:
        self._released: dict[Pair, _Release] = {}
        self._lock = threading.Lock()  # settled is called by the executor's thread

    def due(self, pairs: Iterable[tuple[Pair, str]], now: float) -> list[Pair]:
        """Those of the (pair, wanted digest) that may be released now; what is no longer due is forgotten."""
        wanted = dict(pairs)
        with self._lock:
            self._released = {pair: known for pair, known in self._released.items() if pair in wanted}
            return [pair for pair, digest in wanted.items() if self._free(pair, digest, now)]

    def released(self, pairs: Iterable[tuple[Pair, str]], now: float) -> None:
        """These were released just now."""
        with self._lock:
            for pair, digest in pairs:
                known = self._released.get(pair)
                times = known.times + 1 if known and known.digest == digest else 1
                self._released[pair] = _Release(digest, now, times)

    def settled(self, pairs: Collection[Pair], now: float) -> None:
        """The executor is done with these."""
        with self._lock:
            for pair in self._released.keys() & pairs:
                self._released[pair] = replace(self._released[pair], at=now, settled=True)

    def _free(self, pair: Pair, digest: str, now: float) -> bool:
        known = self._released.get(pair)
        if known is None or known.digest != digest:
            return True
        pause = min(2.0 ** (known.times - 1), LONGEST_PAUSE_SECONDS) if known.settled else TRUST_SECONDS
        return now - known.at >= pause
