"""How apt and dnf are told of a repository: which files, with which text, and how they read what it offers.

Used by `repository`. Sources: sources.list(5) (deb822), apt-get(8), apt.conf(5), dnf.conf(5).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Mapping, Optional, Sequence, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.kinds.file import File
from reconciler.resources.machine.places import make_parents, remove_leaf
from reconciler.resources.machine.system import System
from reconciler.resources.tools.packages import Apt, Dnf, PackageTool
from reconciler.resources.values import dataclass

_HEAD = "# Kept by Reconciler; what is edited here is undone.\n"
ARMOUR = "-----BEGIN PGP PUBLIC KEY BLOCK-----"


@dataclass(frozen=True)
class Offer:
    """A repository, for whichever tool."""

    name: str
    uri: str
    key: str
    """Armoured text, or the path of a key on the host."""
    suites: Tuple[str, ...] = ()
    components: Tuple[str, ...] = ()

    @property
    def brings_key(self) -> bool:
        """Whether the key's text comes with it."""
        return self.key.startswith(ARMOUR)


class Format(ABC):
    """One tool's way of being told."""

    package_tool: ClassVar[PackageTool]
    pattern: ClassVar[str]
    """Path of the file that tells of the repository."""
    key_pattern: ClassVar[str]
    """Path of the key that comes with it."""

    def main_path(self, name: str) -> str:
        """Where the repository stands."""
        return self.pattern.format(name)

    def key_path(self, offer: Offer) -> str:
        """Where its key stands."""
        return self.key_pattern.format(offer.name) if offer.brings_key else offer.key

    def key(self, offer: Offer, path: str = "") -> Optional[File]:
        """The key as a file; None where it is not ours."""
        return File(path or self.key_path(offer), offer.key.encode()) if offer.brings_key else None

    def main(self, offer: Offer) -> File:
        """The repository as a file."""
        return File(self.main_path(offer.name), self.text(offer, self.key_path(offer)).encode())

    @abstractmethod
    def text(self, offer: Offer, key_path: str) -> str:
        """What stands in the file."""

    @abstractmethod
    def refuse(self, offer: Offer) -> None:
        """Refuse what this tool cannot be told.

        Raises:
            Failure: `invalid-field`.
        """

    def attempt(self, system: System, offer: Offer) -> None:
        """Read what the repository offers, before anything is kept; where the tool can do so.

        Raises:
            Failure: `repository-failed`, with what the tool said.
        """

    def bring(self, system: System, offer: Offer) -> None:
        """Write the files.

        Raises:
            Failure: `repository-failed`, with what the tool said.
        """
        for each in (self.key(offer), self.main(offer)):
            if each:
                write(system, each)

    def _read(self, system: System, offer: Offer, argv: Tuple[str, ...]) -> None:
        done = self.package_tool.run(system, argv)
        if not done.ok:
            message = f"{self.package_tool.program} cannot use the repository {offer.name}"
            raise Failure("repository-failed", message, "Are its address, suites and key right?", done.complaint)


class Deb822(Format):
    """apt. What it cannot read never comes among its sources, where it would stand in the way of all packages."""

    package_tool: ClassVar[PackageTool] = Apt()
    pattern = "/etc/apt/sources.list.d/{}.sources"
    key_pattern = "/etc/apt/keyrings/{}.asc"
    _TRIED = "/run/reconciler-{}.{}"
    """Where apt's own user can read, and nothing stays over a boot."""

    def text(self, offer: Offer, key_path: str) -> str:
        parts = {
            "Types": "deb",
            "URIs": offer.uri,
            "Suites": " ".join(offer.suites),
            "Components": " ".join(offer.components),
            "Signed-By": key_path,
        }
        return _HEAD + "".join(f"{name}: {value}\n" for name, value in parts.items() if value)

    def refuse(self, offer: Offer) -> None:
        flat = [suite for suite in offer.suites if suite.endswith("/")]
        wrong = (
            (not offer.suites, "apt needs suites, such as bookworm, or ./ for a repository without any"),
            (flat and offer.components, "a suite that ends with / has no components"),
            (len(flat) < len(offer.suites) and not offer.components, "apt needs components, such as main"),
        )
        _refuse(offer, wrong)

    def attempt(self, system: System, offer: Offer) -> None:
        """With files of their own, which go again."""
        key = self.key(offer, self._TRIED.format(offer.name, "asc"))
        sources = self._TRIED.format(offer.name, "sources")
        tried = [File(sources, self.text(offer, key.path if key else offer.key).encode()), *([key] if key else [])]
        try:
            for file in tried:
                write(system, file)
            self._read(system, offer, self.update(sources))
        finally:
            for file in tried:
                remove_leaf(system, file.path)

    def bring(self, system: System, offer: Offer) -> None:
        """Write the files; what contradicts another source, so that apt could read none, goes again."""
        super().bring(system, offer)
        done = self.package_tool.run(system, ("apt-get", "indextargets"))
        if not done.ok:
            remove_leaf(system, self.main_path(offer.name))
            message = f"with {offer.name} apt cannot read its sources"
            raise Failure("repository-failed", message, "Does another file name the same address?", done.complaint)

    @staticmethod
    def update(sources: str) -> Tuple[str, ...]:
        """The command that reads the lists of one file of sources, and leaves those of all others as they are."""
        options = (
            f"Dir::Etc::sourcelist={sources}",
            "Dir::Etc::sourceparts=/dev/null",
            "APT::Get::List-Cleanup=0",
            "APT::Update::Error-Mode=any",
            "DPkg::Lock::Timeout=120",
        )
        return ("apt-get", "update", "-q", *(word for option in options for word in ("-o", option)))


class Yum(Format):
    """dnf."""

    package_tool: ClassVar[PackageTool] = Dnf()
    pattern = "/etc/yum.repos.d/{}.repo"
    key_pattern = "/etc/pki/rpm-gpg/RPM-GPG-KEY-{}"

    def text(self, offer: Offer, key_path: str) -> str:
        parts = {"name": offer.name, "baseurl": offer.uri, "enabled": "1", "gpgcheck": "1"}
        parts["gpgkey"] = f"file://{key_path}"
        return f"{_HEAD}[{offer.name}]\n" + "".join(f"{name}={value}\n" for name, value in parts.items())

    def refuse(self, offer: Offer) -> None:
        _refuse(offer, ((offer.suites or offer.components, "dnf knows no suites and no components"),))

    def bring(self, system: System, offer: Offer) -> None:
        """Write the files, and read what the repository offers."""
        super().bring(system, offer)
        self._read(system, offer, ("dnf", "--assumeyes", "--quiet", f"--repo={offer.name}", "makecache"))


FORMATS: Mapping[str, Format] = {each.package_tool.program: each for each in (Deb822(), Yum())}


def repository_format(system: System) -> Format:
    """The format of this host's package tool.

    Raises:
        Failure: `no-package-tool`.
    """
    for program, found in FORMATS.items():
        if system.has_program(program):
            return found
    message = f"this host has none of {', '.join(FORMATS)}, whose repositories are known"
    raise Failure("no-package-tool", message, "Write the file of another tool with file:.")


def write(system: System, file: File) -> None:
    """Bring a file to its state."""
    difference = file.difference(file.inspect(system))
    if difference:
        make_parents(system, file.path)
        file.apply(system, difference)


def _refuse(offer: Offer, wrong: Sequence[Tuple[object, str]]) -> None:
    for holds, why in wrong:
        if holds:
            raise Failure("invalid-field", f"repository {offer.name}: {why}")
