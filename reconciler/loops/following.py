"""The two things that a watch can follow: the working tree, and a branch of a git repository."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reconciler.clock import Clock
from reconciler.model.tree import Tree
from reconciler.source import Mirror, WorkingTree, watch_changes


class FollowedTree:
    """The working tree; a change of a file ends a wait."""

    def __init__(self, tree: WorkingTree, stop: threading.Event) -> None:
        self._tree = tree
        self._changed = threading.Event()
        self._stop = stop
        threading.Thread(target=self._listen, name="file-watcher", daemon=True).start()

    def tree(self) -> Tree:
        """The files as they are now."""
        return self._tree.tree()

    def wait(self, seconds: float) -> bool:
        """Wait for a change that long at most; True if there was one."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def wake(self) -> None:
        """End a wait now, as if something had changed."""
        self._changed.set()

    def _listen(self) -> None:
        for _ in watch_changes(self._tree.root, self._stop):
            self._changed.set()


class FollowedBranch:
    """A branch that is fetched every so often; the last fetched revision stays in force while git is away."""

    def __init__(self, mirror: Mirror, interval_seconds: float, clock: Clock, late: Callable[[str], None]) -> None:
        self._mirror = mirror
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._late = late
        self._woken = threading.Event()
        self._fetched_at = float("-inf")

    def tree(self) -> Tree:
        """The files at the branch's newest commit that could be fetched.

        Raises:
            Unavailable: nothing was ever fetched.
        """
        if self._clock.monotonic() - self._fetched_at >= self._interval_seconds:
            self._fetched_at = self._clock.monotonic()
            self._mirror.fetch()
        return self._mirror.tree()

    def wait(self, seconds: float) -> bool:
        """Wait that long at most; True once it is time to fetch, or when woken."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken or self._clock.monotonic() - self._fetched_at >= self._interval_seconds

    def wake(self) -> None:
        """End a wait now."""
        self._woken.set()
