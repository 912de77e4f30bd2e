"""The scheduler's memory of how far schedules have come: what was read from the store, and what is to be written.

What two schedulers write at once is accepted from one of them; the other hears of it here and reads anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from reconciler.loops.scheduling.plans import Planned
from reconciler.model.scheduled import Decision, Progress, ScheduleState
from reconciler.resources.values import replace
from reconciler.store import Store
from reconciler.store.schedules import Recorded


class ScheduleBook:
    """States by the name of their schedule."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Recorded] = {}
        self._changed: dict[str, Recorded] = {}

    def open(self, schedules: Collection[Planned], now: datetime) -> None:
        """Know these schedules. What is new to them, such as a host, starts now: it has missed nothing."""
        unknown = [each.name for each in schedules if each.name not in self._known]
        self._known.update(self._store.schedules.read(unknown))
        for each in schedules:
            before = self._known.setdefault(each.name, Recorded(ScheduleState("")))
            state = _fitting(before.state, each, now)
            if state is not before.state:
                self._changed[each.name] = replace(before, state=state)

    def close(self, names: Iterable[str]) -> None:
        """Know these no more."""
        for name in names:
            self._known.pop(name, None)
            self._changed.pop(name, None)

    def keep(self) -> None:
        """Let what stands in the store live on."""
        self._store.schedules.keep(self._known)

    def state(self, name: str) -> ScheduleState:
        """What is known of a schedule, with what is not written yet."""
        return (self._changed.get(name) or self._known[name]).state

    def progress(self, name: str, line: str) -> Progress | None:
        """How far it has come; None: the host is no longer one of its."""
        return self.state(name).progress.get(line)

    def advance(self, name: str, line: str, progress: Progress) -> None:
        """Note how far it has come now."""
        state = self.state(name)
        if state.progress.get(line) != progress:
            self._change(name, replace(state, progress={**state.progress, line: progress}))

    def decided(self, name: str, decision: Decision) -> None:
        """Note what became of runs."""
        self._change(name, self.state(name).with_decision(decision))

    def write(self) -> frozenset[str]:
        """Write what was noted; the names of those of which somebody else wrote something meanwhile, now read anew.

        Raises:
            Unavailable: Redis cannot be reached; what was noted is still to be written.
        """
        if not self._changed:
            return frozenset()
        written = self._store.schedules.write(self._changed)
        lost = frozenset(self._changed.keys() - written.keys())
        self._known.update(written)
        self._known.update(self._store.schedules.read(lost))
        self._changed.clear()
        return lost

    def _change(self, name: str, state: ScheduleState) -> None:
        version = self._known[name].version
        self._changed[name] = Recorded(state, version)


def _fitting(state: ScheduleState, schedule: Planned, now: datetime) -> ScheduleState:
    """The state for the schedule as its manifest is now."""
    known = state.progress if state.timing == schedule.fingerprint else {}
    fired = [host for host in schedule.hosts if host in known] if schedule.of_alert else []
    lines = [*schedule.lines, *fired]
    if state.timing == schedule.fingerprint and known.keys() == set(lines):
        return state
    progress = {line: known.get(line) or Progress(watermark=now) for line in lines}
    return replace(state, timing=schedule.fingerprint, progress=progress)
