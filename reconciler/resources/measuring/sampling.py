"""One sample of a host: its counters as metrics, and what its apps say of themselves.

The same object serves everywhere: in an agent, in a watch for its own machine, and at the far end of a channel. It
remembers the last look, since rates need two.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from reconciler.resources.machine.system import System
from reconciler.resources.measuring.checkups import Checkups
from reconciler.resources.measuring.readings import Readings, metrics

MOST_VALUES = 1000
"""Of one sample; a host that tells more is not believed."""

STALE_SECONDS = 120.0
"""After a longer pause counters say nothing of how it is now."""


class Sampler:
    """Samples one host.

    Args:
        read: looks at the machine, given the monotonic time.
        system: of the host, for the checks of its apps.
    """

    def __init__(self, read: Callable[[float], Readings], system: System) -> None:
        self._read = read
        self._clock = system.clock
        self._checkups = Checkups(system)
        self._before: Optional[Readings] = None

    def sample(self, apps: Sequence[Mapping[str, Any]] = ()) -> Mapping[str, Any]:
        """{"values": metric -> number, "at": Unix time by the host's own clock, "notes": [what could not be read]}."""
        self._checkups.declare(apps)
        now = self._read(self._clock.monotonic())
        before = self._before
        if before is not None and now.at - before.at > STALE_SECONDS:
            before = None
        self._before = now
        values: Dict[str, float] = metrics(before, now)
        self._checkups.run_due()
        found, notes = self._checkups.found()
        values.update(found)
        if not now.cpu:
            notes.append("this system has no /proc, so its metrics cannot be read over SSH")
        return {"values": values, "at": self._clock.timestamp(), "notes": notes}
