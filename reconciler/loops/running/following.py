"""Follows runs through what Redis tells of them: what they print, as it comes, and how they end.

Used by commands that wait for a run or show one. It is the same for every host, whoever works on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reconciler.model.work import Work, WorkState
from reconciler.resources.values import replace
from reconciler.store import Store


class Heard(Protocol):
    """Told what happens to runs."""

    def moved(self, work: Work) -> None:
        """It is in another state than before."""
        ...

    def printed(self, work: Work, text: str) -> None: ...


class RunFollowing:
    """Follows these runs until each has ended.

    Args:
        only_new: leave out what they had printed when `works` were read, as by an earlier attempt.
    """

    def __init__(self, store: Store, works: Sequence[Work], heard: Heard, *, only_new: bool = False) -> None:
        self._store = store
        self._heard = heard
        self._works = {(work.host, work.id): work for work in works}
        self._told: dict[tuple[str, str], WorkState] = {}
        self._read = {key: work.output_bytes if only_new else 0 for key, work in self._works.items()}

    @property
    def works(self) -> tuple[Work, ...]:
        """The runs as they were last seen."""
        return tuple(self._works.values())

    @property
    def waiting(self) -> tuple[Work, ...]:
        """Those that have not ended."""
        return tuple(work for work in self.works if not work.state.finished)

    def end(self, work: Work, reason: str) -> None:
        """Follow it no longer: whatever its host says of it from now on, it counts as cancelled."""
        ended = self._works[work.host, work.id] = replace(work, state=WorkState.CANCELLED, reason=reason)
        self._told[work.host, work.id] = ended.state
        self._heard.moved(ended)

    def turn(self) -> None:
        """Look once. The state is read before the text, so that nothing is missed of one that ended."""
        for key, before in self._works.items():
            if self._told.get(key) is before.state and before.state.finished:
                continue
            work = self._works[key] = self._store.work.get(*key) or before
            self._print(key, work)
            if self._told.get(key) is not work.state:
                self._told[key] = work.state
                self._heard.moved(work)

    def _print(self, key: tuple[str, str], work: Work) -> None:
        if work.output_bytes <= self._read[key]:
            return
        output = self._store.work.output(*key, self._read[key])
        self._read[key] = output.end_bytes
        if output.text:
            self._heard.printed(work, output.text)
