"""What every command stands on: the tree, its manifests and the ways to its hosts. A session adds store and keys.

Each part is loaded when it is built: libraries are most of what a command costs, and hosts can be dialed before most.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.loops.hosts.crew import Crew
    from reconciler.loops.hosts.reach import Reach, Ssh
    from reconciler.manifests import Loader, Meanwhile
    from reconciler.model.manifests import Manifests
    from reconciler.model.tree import Tree
    from reconciler.resources.measuring.readings import Readings
    from reconciler.source.git_tree import GitTrees
    from reconciler.source.mirror import LastFetched
    from reconciler.source.working_tree import WorkingTree


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a command does not use of it is not built."""

    settings: Settings
    clock: Clock
    closing: ExitStack
    """Closed at the command's end."""
    guard: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def loader(self) -> Loader:
        from reconciler.ahead import begun
        from reconciler.manifests import Loader

        loader = Loader(self.settings.cache_dir, begun())
        self.closing.callback(loader.close)
        return loader

    @cached_property
    def working_tree(self) -> WorkingTree:
        from reconciler.source.working_tree import WorkingTree

        return WorkingTree(self.settings.repository)

    def tree(self) -> Tree:
        """The manifests of this directory: its files, or what a watch last fetched from the repository that it follows.

        Raises:
            InvalidInput: files that cannot be part of a tree; all of them.
            Unavailable: git is not installed, or hangs.
        """
        self.loader.get_ready()  # whoever wants a tree wants its manifests
        fetched = self.last_fetched
        return fetched.tree(fetched.newest) if fetched else self.working_tree.tree()

    @cached_property
    def first_tree(self) -> Tree:
        """The tree as it was when it was first read: a command that is done once goes by it to its end."""
        return self.tree()

    @cached_property
    def last_fetched(self) -> LastFetched | None:
        """Where a watch follows a repository elsewhere: its mirror."""
        if not self.settings.followed:
            return None
        from reconciler.source.mirror import LastFetched

        return self.closing.enter_context(LastFetched(self.settings.followed))

    def manifests(self, tree: Tree, meanwhile: Meanwhile = None) -> Manifests:
        """What a tree declares; `meanwhile` as of `Loader.load`.

        Raises:
            InvalidInput: with everything that is wrong.
        """
        from reconciler.loops.controlling.loading import load

        return load(self.loader, tree, meanwhile)

    def sound_manifests(self, tree: Tree) -> Manifests:
        """The same, of a tree whose apps can be rendered, too; raises as `manifests`.

        What a watch follows it has planned, so that needs no look.
        """
        from reconciler.loops.controlling.loading import judged
        from reconciler.loops.controlling.verdicts import Verdicts

        verdicts = Verdicts(self.settings.cache_dir)
        if not self.settings.followed and verdicts.of(tree, {}) is None:
            verdicts.keep(tree, {}, judged(self.loader, tree, {}))
        return self.manifests(tree)

    def tree_at(self, reference: str) -> Tree:
        """The files at another revision of the repository; raises as `GitTrees.tree`."""
        fetched = self.last_fetched
        return fetched.tree(fetched.revision(reference)) if fetched else self._revisions.tree(reference)

    @cached_property
    def _revisions(self) -> GitTrees:
        from reconciler.source.git_tree import GitTrees

        return self.closing.enter_context(GitTrees(self.settings.repository))

    @cached_property
    def reach(self) -> Reach:
        from reconciler.loops.hosts.reach import Reach

        return Reach(self.settings.repository, _facts, self.clock, self._ssh, _readings)

    def get_ready_to_dial(self) -> None:
        """Load what dials SSH hosts, and begin to pack what is sent to them."""
        self._ssh()

    def _ssh(self) -> Ssh:
        """The connections of this session, made by the first thread that asks."""
        with self.guard:
            return self._connections

    @cached_property
    def _connections(self) -> Ssh:
        from reconciler.transport.ssh import Connections

        made = Connections(self.clock)
        self.closing.callback(made.close)
        return made

    @cached_property
    def crew(self) -> Crew:
        from reconciler.loops.hosts.crew import Crew

        crew = Crew(self.reach.remote)
        self.closing.callback(crew.close)
        return crew


def _facts() -> Mapping[str, Any]:
    """Facts of this machine."""
    from reconciler.probes.facts import facts

    return facts()


def _readings(seconds: float) -> Readings:
    """The counters of this machine."""
    from reconciler.wiring.monitoring import readings

    return readings(seconds)
