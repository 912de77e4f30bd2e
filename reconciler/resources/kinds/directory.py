"""`directory`: a directory with its owner, group and mode, and perhaps nothing foreign in it."""

from __future__ import annotations

from typing import ClassVar, FrozenSet, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import (
    ADD,
    CHANGE,
    DELETE,
    NOTHING,
    AtPath,
    Context,
    Difference,
    changes,
    octal,
)
from reconciler.resources.machine.places import access, make_parents, owner_names, remove_if_empty
from reconciler.resources.machine.system import DIRECTORY, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass, replace


@dataclass(frozen=True)
class DirectoryState:
    """What stands at a directory's path."""

    kind: str = DIRECTORY
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    foreign: Tuple[str, ...] = ()
    """Names of files and links in it that nobody declared; looked for only where they are to be purged."""


@dataclass(frozen=True)
class Directory(AtPath):
    """A directory; parents are created with mode 0755.

    `purge` removes files and links in it that no resource declares; directories in it stay. Wanted absent, it must
    be empty, unless `purge` empties it first.
    """

    kind: ClassVar[str] = "directory"
    exclusive: ClassVar[bool] = True

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    purge: bool = False
    present: bool = True
    declared: FrozenSet[str] = frozenset()
    """Paths of all resources of this host, so that a purge leaves them."""

    @classmethod
    def parse(cls, fields: Fields) -> "Directory":
        """Read the manifest's fields."""
        return cls(
            path=fields.path(),
            owner=fields.text("owner", "root"),
            group=fields.text("group", "root"),
            mode=fields.mode("mode", 0o755),
            purge=fields.flag("purge", default=False),
            present=fields.choice("state", "present", "absent") == "present",
        )

    def within(self, context: Context) -> Directory:
        """See Resource."""
        return replace(self, declared=context.declared) if self.purge else self

    def inspect(self, system: System) -> Optional[DirectoryState]:
        entry = system.look(self.path)
        owner, group = owner_names(system, entry, self.owner, self.group)
        if entry is None:
            return None
        foreign = self._foreign(system) if self.purge and entry.kind == DIRECTORY else ()
        return DirectoryState(entry.kind, owner, group, entry.mode, foreign)

    def _foreign(self, system: System) -> Tuple[str, ...]:
        found = [name for name in system.listdir(self.path) if f"{self.path}/{name}" not in self.declared]
        entries = [(name, system.look(f"{self.path}/{name}")) for name in found]
        return tuple(name for name, entry in entries if entry is not None and entry.kind != DIRECTORY)

    def difference(self, actual: Optional[DirectoryState]) -> Difference:
        purged = tuple(f"{self.path}/{name}" for name in actual.foreign) if actual else ()
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",), (self.path, *purged)) if actual else NOTHING
        if actual is None:
            return Difference(ADD, (), (self.path,))
        if actual.kind != DIRECTORY:
            return Difference(CHANGE, (f"type: {actual.kind} -> directory",), (self.path,))
        lines = changes(
            ("owner", actual.owner, self.owner),
            ("group", actual.group, self.group),
            ("mode", octal(actual.mode), octal(self.mode)),
        )
        lines += tuple(f"purge: {name}" for name in actual.foreign)
        return Difference(CHANGE, lines, (self.path, *purged)) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        for path in difference.paths:
            if path != self.path:
                system.remove(path)
        if self.absent:
            if not remove_if_empty(system, self.path):
                raise Failure("not-empty", f"{self.path} is not an empty directory", "purge: true empties it first.")
            return
        rights = access(system, self.owner, self.group, self.mode)
        entry = system.look(self.path)
        if entry is not None and entry.kind == DIRECTORY:
            system.grant(self.path, rights)
            return
        if entry is not None:
            system.remove(self.path)
        make_parents(system, self.path)
        system.mkdir(self.path, rights)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """Removed only when empty: what others put into it is theirs."""
        remove_if_empty(system, owned.path)
