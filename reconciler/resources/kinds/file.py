"""`file`: a file with its text, owner, group and mode."""

from __future__ import annotations

from typing import Any, ClassVar, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, AtPath, Difference, changes, octal
from reconciler.resources.machine.places import access, make_parents, owner_names, remove_leaf
from reconciler.resources.machine.system import FILE, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.delivered import as_delivered
from reconciler.resources.values import dataclass, field

_COMPARED_BYTES = 1 << 20
"""A file that is longer than this and than the wanted text is not read: its size tells the difference."""
_SHOWN_BYTES = 256 * 1024


@dataclass(frozen=True)
class FileState:
    """What stands at a file's path."""

    kind: str = FILE
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    content: bytes = b""
    whole: bool = True
    """Whether `content` is all of it."""


@dataclass(frozen=True)
class File(AtPath):
    """A file; parents are created with mode 0755. Without `replace` an existing text is left as it is."""

    kind: ClassVar[str] = "file"
    exclusive: ClassVar[bool] = True

    path: str
    content: bytes = field(default=b"", repr=False)
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    validate: Tuple[str, ...] = ()
    replace: bool = True
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "File":
        """Read the manifest's fields; template and source were turned into `content` by then."""
        present = fields.choice("state", "present", "absent") == "present"
        return cls(
            path=fields.path(),
            content=fields.content("content") if present or fields.given("content") else b"",
            owner=fields.text("owner", "root"),
            group=fields.text("group", "root"),
            mode=fields.mode("mode", 0o644),
            validate=fields.argv("validate"),
            replace=fields.flag("replace", default=True),
            present=present,
        )

    def inspect(self, system: System) -> Optional[FileState]:
        found = system.read(self.path, max(len(self.content) + 1, _COMPARED_BYTES))
        entry = found[0] if found else system.look(self.path)
        owner, group = owner_names(system, entry, self.owner, self.group)
        if entry is None:
            return None
        content = found[1] if found else b""
        return FileState(entry.kind, owner, group, entry.mode, content, whole=len(content) == entry.size)

    def difference(self, actual: Optional[FileState]) -> Difference:
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",), (self.path,)) if actual else NOTHING
        if actual is None:
            return Difference(ADD, (), (self.path,))
        if actual.kind != FILE:
            return Difference(CHANGE, (f"type: {actual.kind} -> file", "content"), (self.path,))
        lines = changes(
            ("owner", actual.owner, self.owner),
            ("group", actual.group, self.group),
            ("mode", octal(actual.mode), octal(self.mode)),
        )
        if self.replace and (actual.content != self.content or not actual.whole):
            lines = (*lines, "content")
        return Difference(CHANGE, lines, (self.path,)) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        if self.absent:
            self._delete(system)
            return
        rights = access(system, self.owner, self.group, self.mode)
        if difference.action == ADD or "content" in difference.lines:
            entry = system.look(self.path)
            if entry is not None and entry.kind == "directory":
                system.remove(self.path)
            make_parents(system, self.path)
            system.write_atomic(self.path, self.content, rights, self.validate)
        else:
            system.grant(self.path, rights)

    def _delete(self, system: System) -> None:
        entry = system.look(self.path)
        if entry is not None and entry.kind == "directory":
            raise Failure("wrong-type", f"{self.path} is a directory, not a file", "Use directory: with state: absent.")
        if entry is not None:
            system.remove(self.path)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        remove_leaf(system, owned.path)

    def before(self, actual: Optional[FileState]) -> Optional[str]:
        if actual is None or actual.kind != FILE or not actual.whole or not actual.mode & 0o004:
            return None
        if len(actual.content) > _SHOWN_BYTES:
            return None
        try:
            return actual.content.decode()
        except UnicodeDecodeError:
            return None

    def untouched(self, system: System, actual: Any) -> bool:
        """A file as its package delivered it is no one's work."""
        if not isinstance(actual, FileState) or actual.kind != FILE or not actual.whole:
            return False
        return as_delivered(system, self.path, actual.content)
