"""The package tools that hosts have: how each lists, installs and removes. Used by `package`.

Sources: dpkg-query(1), apt-get(8), rpm(8), dnf(8), zypper(8), apk(8).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar, Dict, Mapping, Sequence, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import Command, Completed, System

_TIMEOUT_SECONDS = 1800.0


class PackageTool(ABC):
    """One family of package tools; argument lists are exact, so that they can be tested as data."""

    program: ClassVar[str]
    env: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def query(self, names: Sequence[str]) -> Tuple[str, ...]:
        """The command that lists what is installed of these."""

    @abstractmethod
    def installed(self, output: str) -> Dict[str, str]:
        """Name -> version, from what the query printed."""

    @abstractmethod
    def install(self, names: Sequence[str], version: str) -> Tuple[str, ...]:
        """The command that installs, or brings to that version."""

    @abstractmethod
    def remove(self, names: Sequence[str]) -> Tuple[str, ...]:
        """The command that removes and leaves configuration behind."""

    def cures(self, complaint: str) -> Tuple[Tuple[str, ...], ...]:
        """What may help when installing failed with that complaint; then it is tried once more."""
        return ()

    def run(self, system: System, argv: Tuple[str, ...]) -> Completed:
        """Run one of these commands."""
        return system.run(Command(argv, env=self.env, timeout_seconds=_TIMEOUT_SECONDS))

    def carry_out(self, system: System, argv: Tuple[str, ...]) -> None:
        """Install or remove, with one more try after a cure.

        Raises:
            Failure: `package-failed`, with what the tool said.
        """
        done = self.run(system, argv)
        cures = () if done.ok else self.cures(f"{done.stdout}\n{done.stderr}")
        for cure in cures:
            self.run(system, cure)
        if cures:
            done = self.run(system, argv)
        if not done.ok:
            raise Failure("package-failed", f"{self.program} failed", said=done.complaint)


class Apt(PackageTool):
    """Debian, Ubuntu. Changed configuration files are kept as they are."""

    program = "apt-get"
    env: ClassVar[Mapping[str, str]] = {"DEBIAN_FRONTEND": "noninteractive"}
    _OPTIONS = ("-y", "-q", "-o", "DPkg::Lock::Timeout=120")

    def query(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("dpkg-query", "--show", "--showformat", "${Package}\t${Version}\t${Status}\n", *names)

    def installed(self, output: str) -> Dict[str, str]:
        rows = [line.split("\t") for line in output.splitlines()]
        return {row[0]: row[1] for row in rows if len(row) == 3 and row[2].endswith(" installed")}

    def install(self, names: Sequence[str], version: str) -> Tuple[str, ...]:
        keep = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
        downgrade = ("--allow-downgrades",) if version else ()
        return ("apt-get", "install", *self._OPTIONS, *keep, *downgrade, *_pinned(names, version, "="))

    def remove(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("apt-get", "remove", *self._OPTIONS, *names)

    def cures(self, complaint: str) -> Tuple[Tuple[str, ...], ...]:
        if "dpkg --configure -a" in complaint:
            return (("dpkg", "--configure", "-a", "--force-confdef", "--force-confold"),)
        if "Unable to locate" in complaint or "no installation candidate" in complaint or "404" in complaint:
            return (("apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=120"),)
        return ()


class _Rpm(PackageTool):
    def query(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("rpm", "--query", "--queryformat", "%{NAME}\t%{VERSION}-%{RELEASE}\n", *names)

    def installed(self, output: str) -> Dict[str, str]:
        rows = [line.split("\t") for line in output.splitlines()]
        return {row[0]: row[1] for row in rows if len(row) == 2}


class Dnf(_Rpm):
    """Fedora, RHEL and their relatives."""

    program = "dnf"

    def install(self, names: Sequence[str], version: str) -> Tuple[str, ...]:
        return ("dnf", "--assumeyes", "--quiet", "install", *_pinned(names, version, "-"))

    def remove(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("dnf", "--assumeyes", "--quiet", "remove", *names)


class Zypper(_Rpm):
    """SUSE."""

    program = "zypper"

    def install(self, names: Sequence[str], version: str) -> Tuple[str, ...]:
        downgrade = ("--oldpackage",) if version else ()
        return ("zypper", "--non-interactive", "install", *downgrade, *_pinned(names, version, "="))

    def remove(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("zypper", "--non-interactive", "remove", *names)


class Apk(PackageTool):
    """Alpine."""

    program = "apk"

    def query(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("apk", "list", "--installed", *names)

    def installed(self, output: str) -> Dict[str, str]:
        rows = [re.match(r"(?P<name>\S+?)-(?P<version>\d\S*-r\d+) ", line) for line in output.splitlines()]
        return {row["name"]: row["version"] for row in rows if row}

    def install(self, names: Sequence[str], version: str) -> Tuple[str, ...]:
        return ("apk", "add", "--no-progress", *_pinned(names, version, "="))

    def remove(self, names: Sequence[str]) -> Tuple[str, ...]:
        return ("apk", "del", "--no-progress", *names)

    def cures(self, complaint: str) -> Tuple[Tuple[str, ...], ...]:
        return (("apk", "update"),) if "no such package" in complaint else ()


def _pinned(names: Sequence[str], version: str, sign: str) -> Tuple[str, ...]:
    return tuple(f"{name}{sign}{version}" if version else name for name in names)


TOOLS: Tuple[PackageTool, ...] = (Apt(), Dnf(), Zypper(), Apk())


def package_tool(system: System) -> PackageTool:
    """The tool that this host has.

    Raises:
        Failure: `no-package-tool`.
    """
    for tool in TOOLS:
        if system.has_program(tool.program):
            return tool
    raise Failure("no-package-tool", f"this host has none of {', '.join(tool.program for tool in TOOLS)}")
