"""`link`: a symbolic link and where it points."""

from __future__ import annotations

from typing import ClassVar, Optional

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, AtPath, Difference, changes
from reconciler.resources.machine.places import make_parents, remove_leaf
from reconciler.resources.machine.system import DIRECTORY, LINK, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass


@dataclass(frozen=True)
class LinkState:
    """What stands at a link's path."""

    kind: str = LINK
    target: str = ""


@dataclass(frozen=True)
class Link(AtPath):
    """A symbolic link, replaced in one step; its target need not exist. Parents are created with mode 0755."""

    kind: ClassVar[str] = "link"
    exclusive: ClassVar[bool] = True

    path: str
    target: str = ""
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Link":
        """Read the manifest's fields."""
        present = fields.choice("state", "present", "absent") == "present"
        return cls(path=fields.path(), target=fields.text("target", None if present else ""), present=present)

    def inspect(self, system: System) -> Optional[LinkState]:
        entry = system.look(self.path)
        return LinkState(entry.kind, entry.target) if entry else None

    def difference(self, actual: Optional[LinkState]) -> Difference:
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",), (self.path,)) if actual else NOTHING
        if actual is None:
            return Difference(ADD, (f"target: {self.target}",), (self.path,))
        if actual.kind != LINK:
            return Difference(CHANGE, (f"type: {actual.kind} -> link",), (self.path,))
        lines = changes(("target", actual.target, self.target))
        return Difference(CHANGE, lines, (self.path,)) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        entry = system.look(self.path)
        if entry is not None and entry.kind == DIRECTORY:
            if self.absent:
                raise Failure("wrong-type", f"{self.path} is a directory, not a link", "Use directory: to remove it.")
            system.remove(self.path)
        if self.absent:
            remove_leaf(system, self.path)
        else:
            make_parents(system, self.path)
            system.symlink(self.path, self.target)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        remove_leaf(system, owned.path)
