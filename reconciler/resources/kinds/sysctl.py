"""`sysctl`: a parameter of the kernel, now and, by a file of its own below /etc/sysctl.d, at every boot."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Dict, Mapping, Optional

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.file import File, FileState
from reconciler.resources.kinds.resource import ADD, CHANGE, NOTHING, Difference, Resource, changes
from reconciler.resources.machine.places import remove_leaf
from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.accounts import carry_out
from reconciler.resources.values import dataclass

_KEY = re.compile(r"\w[\w:-]*(?:[./]\w[\w:-]*)+\Z", re.ASCII)
_VALUE_BYTES = 1 << 16
"""Read in one piece: the kernel gives nothing more of a number to a second read."""


@dataclass(frozen=True)
class SysctlState:
    """The parameter as it is."""

    live: str
    """What the kernel uses now."""
    file: Optional[FileState] = None
    """What is set at boot."""


@dataclass(frozen=True)
class Sysctl(Resource):
    """A parameter. Values that differ only in their spaces are the same.

    When it leaves the manifests it is no longer set at boot; until then the kernel goes on with it.
    """

    kind: ClassVar[str] = "sysctl"

    key: str
    value: str
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Sysctl":
        """Read the manifest's fields."""
        present = fields.choice("state", "present", "absent") == "present"
        key, value = fields.text("key"), fields.text("value")
        if not _KEY.match(key):
            raise fields.wrong("key", "the name of a parameter, such as vm.swappiness")
        if re.search(r"[\n\r]", value):
            raise fields.wrong("value", "one line")
        return cls(key, " ".join(value.split()), present)

    @property
    def place(self) -> str:
        """Behind 99-sysctl.conf, which is /etc/sysctl.conf on Debian, so that this value is the last word."""
        return f"/etc/sysctl.d/99-zz-{_way(self.key).replace('.', ':').replace('/', '.')}.conf"

    @property
    def _file(self) -> File:
        text = f"# Kept by Reconciler; what is edited here is undone.\n{_way(self.key)} = {self.value}\n"
        return File(self.place, text.encode(), present=self.present)

    def inspect(self, system: System) -> Optional[SysctlState]:
        live, file = _live(system, self.key), self._file.inspect(system)
        if live is not None or (self.absent and file is not None):
            return SysctlState(live or "", file)
        if self.absent:
            return None
        raise Failure("no-such-parameter", f"the kernel has no {self.key}", "Does it come with a module or a package?")

    def difference(self, actual: Optional[SysctlState]) -> Difference:
        if actual is None:
            return NOTHING
        file = self._file.difference(actual.file)
        if self.absent:
            return file
        lines = changes(("value", actual.live, self.value)) + (("at boot",) if file else ())
        return Difference(CHANGE if actual.file else ADD, lines, (self.place,)) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        """The kernel first: what it refuses is not kept for the next boot."""
        if self.present and _live(system, self.key) != self.value:
            _set(system, self.key, self.value)
        file = self._file.difference(self._file.inspect(system))
        if file:
            self._file.apply(system, file)

    def preexisting(self, actual: Optional[SysctlState], difference: Difference) -> bool:
        return actual is not None and actual.file is not None

    def memory(self, actual: Optional[SysctlState]) -> Dict[str, Any]:
        return {"key": self.key, "value": actual.live} if actual and self.present else {}

    @classmethod
    def restore(cls, system: System, memory: Mapping[str, Any]) -> None:
        if _live(system, memory["key"]) not in {None, memory["value"]}:
            _set(system, memory["key"], memory["value"])

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        remove_leaf(system, owned.path)


def _way(key: str) -> str:
    """The key as a path below /proc/sys. The first separator is the one that counts: sysctl.d(5)."""
    first = next(letter for letter in key if letter in "./")
    return key.translate(str.maketrans("./", "/.")) if first == "." else key


def _live(system: System, key: str) -> Optional[str]:
    found = system.read(f"/proc/sys/{_way(key)}", _VALUE_BYTES)
    return " ".join(found[1].decode(errors="replace").split()) if found else None


def _set(system: System, key: str, value: str) -> None:
    carry_out(system, ("tee", f"/proc/sys/{_way(key)}"), f"{value}\n")
