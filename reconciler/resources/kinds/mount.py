"""`mount`: a file system at its place, now and, by its line of /etc/fstab, at every boot."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Difference, Resource, changes
from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import LINK, Command, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.fstab import (
    FSTAB,
    Mounted,
    at_boot,
    now_mounted,
    read_fstab,
    remount_options,
    same_device,
    same_type,
    shared_mounts,
    write_fstab,
)
from reconciler.resources.tools.service_tools import service_tool
from reconciler.resources.values import asdict, dataclass


@dataclass(frozen=True)
class MountState:
    """What stands at a mount point."""

    boot: Optional[Mounted] = None
    """What fstab says."""
    live: Optional[Mounted] = None
    """What is mounted; a mount that waits for its first use counts as the wanted one."""


@dataclass(frozen=True)
class Mount(Resource):
    """A mounted file system. The mount point is made where it is missing, with mode 0755, and stays.

    A mount comes before its line in fstab: what cannot be mounted never keeps a host from booting.
    """

    kind: ClassVar[str] = "mount"
    exclusive: ClassVar[bool] = True

    path: str
    wanted: Mounted
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Mount":
        """Read the manifest's fields."""
        device, fstype = fields.text("device"), fields.word("fstype")
        if fstype == "swap":
            raise fields.wrong("fstype", "a file system, not swap")
        wanted = Mounted(device, fstype, fields.word("options", "defaults"))
        return cls(fields.path(), wanted, fields.choice("state", "present", "absent") == "present")

    @property
    def automatic(self) -> bool:
        """Whether it is mounted without anyone asking for it."""
        return "noauto" not in self.wanted.options.split(",")

    def inspect(self, system: System) -> Optional[MountState]:
        boot, live = at_boot(read_fstab(system), self.path), now_mounted(system, self.path)
        if boot is None and live is None:
            return None
        return MountState(boot, live and self._named(system, live))

    def _named(self, system: System, live: Mounted) -> Mounted:
        """What is mounted, under the wanted names where these mean the same."""
        if live.fstype == "autofs":
            return self.wanted
        device = self.wanted.device if same_device(system, self.wanted, live) else live.device
        return Mounted(device, self.wanted.fstype if same_type(self.wanted, live) else live.fstype, live.options)

    def difference(self, actual: Optional[MountState]) -> Difference:
        if actual is None:
            return NOTHING if self.absent else Difference(ADD, (), (FSTAB,))
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",), (FSTAB,))
        lines = tuple(dict.fromkeys((*self._live_lines(actual.live), *self._boot_lines(actual.boot))))
        return Difference(CHANGE, lines, (FSTAB,)) if lines else NOTHING

    def _live_lines(self, live: Optional[Mounted]) -> Tuple[str, ...]:
        if live is None:
            return ("mounted: no -> yes",) if self.automatic else ()
        lines = changes(("device", live.device, self.wanted.device), ("fstype", live.fstype, self.wanted.fstype))
        wrong = self.wanted.flags() - live.flags() or "ro" in live.flags() - self.wanted.flags()
        return (*lines, "options") if wrong else lines

    def _boot_lines(self, boot: Optional[Mounted]) -> Tuple[str, ...]:
        if boot is None:
            return ("at boot: no -> yes",)
        lines = changes(("device", boot.device, self.wanted.device), ("fstype", boot.fstype, self.wanted.fstype))
        return lines if boot.options == self.wanted.options else (*lines, "options")

    def prepare(self, system: System, difference: Difference) -> Difference:
        """Make sure that the host gets to see it.

        Raises:
            Failure: `private-mounts`.
        """
        if not shared_mounts(system):
            message = "this process has mounts of its own, so nobody else would see this one"
            raise Failure("private-mounts", message, "Does its unit ask for PrivateTmp, ProtectSystem or the like?")
        return difference

    def apply(self, system: System, difference: Difference) -> None:
        actual = self.inspect(system) or MountState()
        if self.absent:
            _unmount(system, self.path, actual.live)
        elif actual.live is None:
            self._mount(system)
        elif self._moved(actual.live):
            _unmount(system, self.path, actual.live)
            self._mount(system)
        elif "options" in difference.lines:
            _remount(system, self.path, self.wanted)
        _keep(system, self.path, None if self.absent else self.wanted)

    def _moved(self, live: Mounted) -> bool:
        return (live.device, live.fstype) != (self.wanted.device, self.wanted.fstype)

    def _mount(self, system: System) -> None:
        entry = system.look(self.path)
        if entry is not None and entry.kind == LINK:
            raise Failure("wrong-type", f"{self.path} is a link", "Mount at the place that it leads to.")
        if entry is None:
            make_parents(system, self.path)
            system.mkdir(self.path, system.own(0o755))
        if self.automatic:
            _mount(system, self.path, self.wanted)

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"path": FSTAB, "at": self.path}

    def memory(self, actual: Optional[MountState]) -> Dict[str, Any]:
        return _memory(self.path, actual.live if actual else None)

    @classmethod
    def memory_of(cls, system: System, owned: Owned) -> Dict[str, Any]:
        return _memory(owned.fields["at"], now_mounted(system, owned.fields["at"]))

    @classmethod
    def restore(cls, system: System, memory: Mapping[str, Any]) -> None:
        """The file fstab is back by then: its line knows options that the kernel does not show."""
        path = memory["at"]
        before, live = Mounted(**memory["live"]) if memory["live"] else None, now_mounted(system, path)
        boot = at_boot(read_fstab(system), path)
        if live is not None and (before is None or (live.device, live.fstype) != (before.device, before.fstype)):
            _unmount(system, path, live)
            live = None
        if before is not None and live is None:
            _mount(system, path, boot or before)
        elif before is not None and live is not None and live != before:
            _remount(system, path, boot or before)
        service_tool(system).refresh(system)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        path = owned.fields["at"]
        _unmount(system, path, now_mounted(system, path))
        _keep(system, path, None)


def _memory(path: str, live: Optional[Mounted]) -> Dict[str, Any]:
    return {"at": path, "live": asdict(live) if live else None}


def _keep(system: System, path: str, wanted: Optional[Mounted]) -> None:
    """Write the line, and let systemd read it: it may take down what it does not know."""
    if write_fstab(system, path, wanted):
        service_tool(system).refresh(system)


def _mount(system: System, path: str, wanted: Mounted) -> None:
    _run(system, path, ("mount", "-t", wanted.fstype, "-o", wanted.options, wanted.device, path))


def _remount(system: System, path: str, wanted: Mounted) -> None:
    """With device and place both named, mount(8) takes no options from fstab or from before."""
    _run(system, path, ("mount", "-o", remount_options(wanted), wanted.device, path))


def _unmount(system: System, path: str, live: Optional[Mounted]) -> None:
    if live is not None:
        _run(system, path, ("umount", path))


def _run(system: System, path: str, argv: Tuple[str, ...]) -> None:
    done = system.run(Command(argv))
    if not done.ok:
        raise Failure("mount-failed", f"{argv[0]} of {path} failed", "", done.complaint)
