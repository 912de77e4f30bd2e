"""`line`: one line in a file that others own, added, replaced or taken out."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Dict, Optional

from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Difference, Resource
from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import Access, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True)
class LineState:
    """The text of the file that the line stands in."""

    text: str = ""


@dataclass(frozen=True)
class Line(Resource):
    """A line of a file. `match`, a regular expression, names the line to replace: the last that matches.

    A missing file is made with mode 0644. The file's owner and mode stay as they are.
    """

    kind: ClassVar[str] = "line"

    path: str
    line: str = field(repr=False)
    match: str = ""
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Line":
        """Read the manifest's fields."""
        line, match = fields.text("line"), fields.text("match", "")
        if "\n" in line:
            raise fields.wrong("line", "a single line")
        try:
            re.compile(match)
        except re.error as error:
            raise fields.wrong("match", f"a regular expression ({error})") from None
        present = fields.choice("state", "present", "absent") == "present"
        return cls(path=fields.path(), line=line, match=match, present=present)

    def inspect(self, system: System) -> Optional[LineState]:
        found = system.read(self.path)
        return LineState(found[1].decode(errors="surrogateescape")) if found else None

    def difference(self, actual: Optional[LineState]) -> Difference:
        if actual is None:
            return NOTHING if self.absent else Difference(ADD, ("line",), (self.path,))
        edited = edit(actual.text, self.line, self.match, present=self.present)
        if edited == actual.text:
            return NOTHING
        return Difference(DELETE if self.absent else CHANGE, ("line",), (self.path,))

    def apply(self, system: System, difference: Difference) -> None:
        found = system.read(self.path)
        if found is None:
            make_parents(system, self.path)
            rights, text = system.own(0o644), ""
        else:
            rights = Access(found[0].uid, found[0].gid, found[0].mode)
            text = found[1].decode(errors="surrogateescape")
        edited = edit(text, self.line, self.match, present=self.present)
        system.write_atomic(self.path, edited.encode(errors="surrogateescape"), rights)

    def preexisting(self, actual: Optional[LineState], difference: Difference) -> bool:
        return not difference

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"path": self.path, **({} if sensitive else {"line": self.line})}

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """Take the line out again; a secret one was not recorded and stays."""
        if "line" in owned.fields:
            resource = cls(owned.fields["path"], owned.fields["line"], present=False)
            if resource.difference(resource.inspect(system)):
                resource.apply(system, NOTHING)


def edit(text: str, line: str, match: str = "", *, present: bool = True) -> str:
    """The text with the line in it (once at least), or with every such line taken out."""
    lines = text.splitlines(keepends=True)
    bare = [each.rstrip("\r\n") for each in lines]
    matching = [index for index, each in enumerate(bare) if match and re.search(match, each)]
    if not present:
        away = {index for index, each in enumerate(bare) if each == line} | set(matching)
        return "".join(each for index, each in enumerate(lines) if index not in away)
    if line in bare:
        return text
    if matching:
        ending = lines[matching[-1]][len(bare[matching[-1]]) :]
        lines[matching[-1]] = line + ending
        return "".join(lines)
    return text + ("" if not text or text.endswith("\n") else "\n") + line + "\n"
