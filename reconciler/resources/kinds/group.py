"""`group`: a group of the host's own, read from /etc/group and changed with groupadd and groupmod."""

from __future__ import annotations

from typing import ClassVar, Optional

from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Difference, Resource, changes
from reconciler.resources.machine.system import System
from reconciler.resources.tools.accounts import carry_out, groups
from reconciler.resources.values import dataclass


@dataclass(frozen=True)
class GroupState:
    """The group as it is."""

    gid: int


@dataclass(frozen=True)
class Group(Resource):
    """A group; files may still carry its number, so it is removed only where it is declared absent."""

    kind: ClassVar[str] = "group"
    reversible: ClassVar[bool] = False
    exclusive: ClassVar[bool] = True
    stays: ClassVar[str] = "files may belong to it"

    name: str
    gid: Optional[int] = None
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Group":
        """Read the manifest's fields."""
        present = fields.choice("state", "present", "absent") == "present"
        return cls(name=fields.text("name"), gid=fields.number("gid"), present=present)

    def inspect(self, system: System) -> Optional[GroupState]:
        found = groups(system).get(self.name)
        return GroupState(found.gid) if found else None

    def difference(self, actual: Optional[GroupState]) -> Difference:
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",)) if actual else NOTHING
        if actual is None:
            return Difference(ADD)
        lines = changes(("gid", actual.gid, actual.gid if self.gid is None else self.gid))
        return Difference(CHANGE, lines) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        number = () if self.gid is None else ("--gid", str(self.gid))
        if difference.action == DELETE:
            carry_out(system, ("groupdel", self.name))
        elif difference.action == ADD:
            carry_out(system, ("groupadd", *number, self.name))
        else:
            carry_out(system, ("groupmod", *number, self.name))
