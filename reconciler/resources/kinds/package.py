"""`package`: software of the distribution, one name or several, perhaps in a version."""

from __future__ import annotations

import fnmatch
from typing import Any, ClassVar, Dict, Mapping, Tuple

from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Difference, Resource
from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.packages import package_tool
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True)
class PackageState:
    """What is installed of the named packages."""

    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Package(Resource):
    """Installed packages. They stay when they leave the manifests, unless the app says `prune: all`."""

    kind: ClassVar[str] = "package"
    reversible: ClassVar[bool] = False
    stays: ClassVar[str] = "other things may need it; prune: all removes it"

    names: Tuple[str, ...]
    version: str = ""
    """Exact, a pattern such as `1.24.*`, or without its release; empty: any."""
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Package":
        """Read the manifest's fields."""
        names = fields.texts("name")
        if not names or any(not name or name.startswith("-") for name in names):
            raise fields.wrong("name", "a package's name or a list of them")
        present = fields.choice("state", "present", "absent") == "present"
        return cls(names=names, version=fields.text("version", ""), present=present)

    def inspect(self, system: System) -> PackageState:
        tool = package_tool(system)
        found = tool.installed(tool.run(system, tool.query(self.names)).stdout)
        return PackageState({name: found[name] for name in self.names if name in found})

    def difference(self, actual: PackageState) -> Difference:
        if self.absent:
            lines = tuple(
                f"{name}: {actual.versions[name]} -> absent" for name in self.names if name in actual.versions
            )
            return Difference(DELETE, lines) if lines else NOTHING
        missing = tuple(f"{name}: absent -> {self.version or 'installed'}" for name in self._missing(actual))
        other = tuple(f"{name}: {actual.versions[name]} -> {self.version}" for name in self._other(actual))
        if not missing and not other:
            return NOTHING
        return Difference(CHANGE if actual.versions else ADD, missing + other)

    def _missing(self, actual: PackageState) -> Tuple[str, ...]:
        return tuple(name for name in self.names if name not in actual.versions)

    def _other(self, actual: PackageState) -> Tuple[str, ...]:
        installed = ((name, actual.versions[name]) for name in self.names if name in actual.versions)
        return tuple(name for name, version in installed if not version_fits(version, self.version))

    def apply(self, system: System, difference: Difference) -> None:
        tool = package_tool(system)
        actual = self.inspect(system)
        if self.absent:
            tool.carry_out(system, tool.remove([name for name in self.names if name in actual.versions]))
        else:
            chosen = {*self._missing(actual), *self._other(actual)}
            tool.carry_out(system, tool.install([name for name in self.names if name in chosen], self.version))

    def preexisting(self, actual: PackageState, difference: Difference) -> bool:
        return not difference

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"names": list(self.names)}

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        resource = cls(tuple(owned.fields["names"]), present=False)
        if resource.difference(resource.inspect(system)):
            resource.apply(system, NOTHING)


def version_fits(installed: str, wanted: str) -> bool:
    """Whether a version is the wanted one, fits its pattern, or differs only in the distribution's release."""
    return not wanted or fnmatch.fnmatchcase(installed, wanted) or installed.startswith(f"{wanted}-")
