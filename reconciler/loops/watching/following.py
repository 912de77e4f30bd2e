"""The two things that a watch can follow: the working tree, and a branch of a git repository."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from reconciler.clock import Clock
from reconciler.errors import InvalidInput, Unavailable
from reconciler.loops.log import Log
from reconciler.model.tree import Revision, Tree
from reconciler.source.mirror import Mirror
from reconciler.source.watching import watch_changes, watch_references
from reconciler.source.working_tree import WorkingTree


class Source(Protocol):
    """What is followed: the working tree, or a branch of a repository."""

    def tree(self) -> Tree:
        """The newest tree; raises Unavailable or InvalidInput."""
        ...

    def earlier(self, revision: str) -> Tree | None:
        """The tree of a revision that was followed before; None where that is not kept."""
        ...

    def refresh(self) -> None:
        """Know which revision is the newest, without reading it; raises as `tree`."""
        ...

    def doubt(self) -> None:
        """What is known may be old by now: look anew before the next `tree`."""
        ...

    @property
    def age_seconds(self) -> float:
        """How long it is out of reach; 0: it is not."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for a change that long at most; True if there was one."""
        ...

    def wake(self) -> None:
        """End a wait now."""
        ...


class FollowedTree:
    """The working tree; a change of a file ends a wait.

    Args:
        tree: reads it.
        committed: reads the commit that is checked out; raises InvalidInput where there is none.
        root: where the files are.
        stop: ends the wait for changes.
        log: where it is told that changes are not noticed.
    """

    def __init__(
        self, tree: WorkingTree, committed: Callable[[], Tree], root: Path, stop: threading.Event, log: Log
    ) -> None:
        self._tree = tree
        self._committed = committed
        self._root = root
        self._log = log
        self._changed = threading.Event()
        self._stop = stop
        threading.Thread(target=self._listen, name="file-watcher", daemon=True).start()

    def tree(self) -> Tree:
        """The files as they are now."""
        return self._tree.tree()

    def earlier(self, revision: str) -> Tree | None:
        """The files of the commit that is checked out, if they are meant; what others were is not kept."""
        with suppress(InvalidInput):
            tree = self._committed()
            return tree if str(tree.revision) == revision else None
        return None

    def refresh(self) -> None:
        """It is read when it is needed."""

    def doubt(self) -> None:
        """It is read anew in any case."""

    @property
    def age_seconds(self) -> float:
        """It is always in reach."""
        return 0.0

    def wait(self, seconds: float) -> bool:
        """Wait for a change that long at most; True if there was one."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def wake(self) -> None:
        """End a wait now, as if something had changed."""
        self._changed.set()

    def _listen(self) -> None:
        try:
            for _ in watch_changes(self._root, self._stop):
                self._changed.set()
        except Unavailable as error:
            self._log.warning("not-watching", error=str(error), instead="every sweep looks for changes")


class FollowedBranch:
    """A branch that is fetched every so often; while git is away the last fetched revision stays in force.

    Where the repository is on this machine, a branch that moves ends a wait too.
    """

    def __init__(self, mirror: Mirror, interval_seconds: float, clock: Clock, log: Log, stop: threading.Event) -> None:
        self._mirror = mirror
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._log = log
        self._stop = stop
        self._woken = threading.Event()
        self._moved = threading.Event()
        self._fetched_at = float("-inf")
        """When that was last tried."""
        self._reached_at = clock.monotonic()
        """When it was; before that it counts from our own beginning."""
        self._revision: Revision | None = None
        if mirror.neighbour:
            threading.Thread(target=self._listen, args=(mirror.neighbour,), name="branch-watcher", daemon=True).start()

    def tree(self) -> Tree:
        """The files at the branch's newest commit that could be fetched.

        Raises:
            Unavailable: nothing was ever fetched.
        """
        return self._mirror.tree(self._newest())

    def earlier(self, revision: str) -> Tree | None:
        """The files at a commit that was fetched at some time."""
        try:
            return self._mirror.tree(self._mirror.revision(revision))
        except InvalidInput:
            return None

    def refresh(self) -> None:
        """Fetch where it is time to; raises as `tree`."""
        self._newest()

    def doubt(self) -> None:
        """Fetch before anything is read the next time."""
        self._moved.set()

    @property
    def age_seconds(self) -> float:
        """How long ago it could last be fetched; 0 where the last try succeeded, however seldom it is tried."""
        return 0.0 if self._reached_at >= self._fetched_at else self._clock.monotonic() - self._reached_at

    def wait(self, seconds: float) -> bool:
        """Wait that long at most; True once it is time to fetch, or when woken."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken or self._ripe()

    def wake(self) -> None:
        """End a wait now."""
        self._woken.set()

    def _newest(self) -> Revision:
        if self._ripe() or self._revision is None:
            self._moved.clear()
            self._fetched_at = self._clock.monotonic()
            self._revision = self._fetch()
        return self._revision

    def _ripe(self) -> bool:
        return self._moved.is_set() or self._clock.monotonic() - self._fetched_at >= self._interval_seconds

    def _listen(self, repository: Path) -> None:
        try:
            for _ in watch_references(repository, self._stop):
                self._moved.set()
                self._woken.set()
        except Unavailable as error:
            self._log.warning("not-watching", error=str(error), instead="it is fetched now and then")

    def _fetch(self) -> Revision:
        try:
            revision = self._mirror.fetch()
        except (Unavailable, InvalidInput) as error:  # also a branch that is gone for now
            known = self._revision or self._mirror.last()
            if known is None:
                raise
            self._log.warning("fetch-failed", error=str(error), in_force=str(known))
            return known
        self._reached_at = self._clock.monotonic()
        if self._mirror.rewritten_from:
            self._log.warning("force-pushed", left_behind=self._mirror.rewritten_from[:7], now=str(revision))
        return revision
