"""`cron`: an entry of the host's own cron, in a file of its own below /etc/cron.d."""

from __future__ import annotations

from typing import ClassVar, Optional

from reconciler.resources.fields import Fields
from reconciler.resources.kinds.file import File, FileState
from reconciler.resources.kinds.resource import Difference, Resource
from reconciler.resources.machine.places import access, remove_leaf
from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.crontab import command_problem, entry, name_problem, schedule_problem
from reconciler.resources.values import dataclass, field

_HEAD = "# Kept by Reconciler; what is edited here is undone.\n"


@dataclass(frozen=True)
class Cron(Resource):
    """An entry: when, as whom, and what. It is one file, so that it comes and goes in one step."""

    kind: ClassVar[str] = "cron"
    exclusive: ClassVar[bool] = True

    name: str
    schedule: str
    command: str = field(repr=False)
    user: str = "root"
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Cron":
        """Read the manifest's fields."""
        found = cls(
            name=fields.text("name"),
            schedule=fields.text("schedule"),
            command=fields.text("command"),
            user=fields.word("user", "root"),
            present=fields.choice("state", "present", "absent") == "present",
        )
        fields.sound("name", name_problem(found.name))
        fields.sound("schedule", schedule_problem(found.schedule))
        fields.sound("command", command_problem(found.command))
        return found

    @property
    def place(self) -> str:
        return f"/etc/cron.d/{self.name}"

    @property
    def _file(self) -> File:
        content = _HEAD + entry(self.schedule, self.user, self.command)
        return File(self.place, content.encode(), present=self.present)

    def inspect(self, system: System) -> Optional[FileState]:
        return self._file.inspect(system)

    def difference(self, actual: Optional[FileState]) -> Difference:
        return self._file.difference(actual)

    def apply(self, system: System, difference: Difference) -> None:
        if self.present:
            access(system, self.user, "root", 0)
        self._file.apply(system, difference)

    def untouched(self, system: System, actual: Optional[FileState]) -> bool:
        return self._file.untouched(system, actual)

    def before(self, actual: Optional[FileState]) -> Optional[str]:
        return self._file.before(actual)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        remove_leaf(system, owned.path)
