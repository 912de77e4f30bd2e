"""A machine's counters by the standard library alone: /proc, /sys and statvfs. Used on hosts over SSH.

Sources: proc(5), the kernel's Documentation/admin-guide/iostats.rst, statvfs(3). `probes.readings` reads the same with
psutil on an executor's own machine; a test holds one against the other.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from reconciler.resources.measuring.readings import (
    LOOPBACK,
    DiskCounters,
    FilesystemUse,
    InterfaceCounters,
    Readings,
    matters,
)

Mount = Tuple[str, str, str]
"""Device, where it is mounted, type."""

_SMALLEST_BYTES = 1 << 20
_SECTOR_BYTES = 512
"""The unit of /proc/diskstats, whatever the disk has."""
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")
CPU_KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


class Proc:
    """Looks at the machine.

    Args:
        root: where `proc` and `sys` stand; tests have a folder of their own.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root
        self._ticks = float(os.sysconf("SC_CLK_TCK"))

    def read(self, at: float) -> Readings:
        """A look; `at` is the monotonic time of it."""
        stat = self._text("proc/stat")
        return Readings(
            at=at,
            cpu=self._cpu(stat),
            cores=sum(line[:3] == "cpu" and line[3:4].isdigit() for line in stat.splitlines()),
            load=tuple(map(float, self._text("proc/loadavg").split()[:3])),
            memory=_memory(self._text("proc/meminfo")),
            disks=self._disks(),
            interfaces=self._interfaces(),
            filesystems=self._filesystems(),
            temperatures=dict(self.temperatures()),
            uptime_seconds=self.uptime_seconds(),
            processes=self.processes(),
            descriptors=self.descriptors(),
        )

    def uptime_seconds(self) -> Optional[float]:
        """Since the last boot."""
        return next(map(float, self._text("proc/uptime").split()[:1]), None)

    def whole_disks(self) -> FrozenSet[str]:
        """Names of disks that are made of something: no partitions, no loops, nothing that lies on other disks."""
        return frozenset(name for name in self._names("sys/block") if not name.startswith(_NO_DISKS))

    def processes(self) -> Mapping[str, float]:
        """How many there are, run or want to, and ended without anyone waiting for them."""
        states: List[str] = []
        with suppress(OSError):
            for name in os.listdir(self._path("proc")):
                state = self._text(f"proc/{name}/stat").rpartition(") ")[2][:1] if name.isdigit() else ""
                states += [state] if state else []
        if not states:
            return {}
        return {
            "count": float(len(states)),
            "running": float(states.count("R")),
            "zombies": float(states.count("Z")),
        }

    def descriptors(self) -> Tuple[float, ...]:
        """Open in all processes, and how many may be."""
        numbers = self._text("proc/sys/fs/file-nr").split()
        return (float(numbers[0]) - float(numbers[1]), float(numbers[2])) if len(numbers) == 3 else ()

    def temperatures(self) -> Iterator[Tuple[str, float]]:
        """Degrees Celsius by chip and label, as hwmon names them."""
        for chip in self._names("sys/class/hwmon"):
            where = f"sys/class/hwmon/{chip}"
            title = self._text(f"{where}/name").strip() or chip
            for name in self._names(where):
                if name.startswith("temp") and name.endswith("_input"):
                    sensor = self._text(f"{where}/{name[:-6]}_label").strip() or name[:-6]
                    with suppress(ValueError):
                        yield f"{title} {sensor}", int(self._text(f"{where}/{name}")) / 1000

    def _cpu(self, stat: str) -> Mapping[str, float]:
        numbers = next((line.split()[1:] for line in stat.splitlines() if line.startswith("cpu ")), [])
        return {name: int(number) / self._ticks for name, number in zip(CPU_KINDS, numbers)}

    def _disks(self) -> Mapping[str, DiskCounters]:
        whole = self.whole_disks()
        found: Dict[str, DiskCounters] = {}
        for line in self._text("proc/diskstats").splitlines():
            words = line.split()
            if len(words) >= 14 and words[2] in whole:
                reads, read, writes, written, busy = (float(words[at]) for at in (3, 5, 7, 9, 12))
                found[words[2]] = DiskCounters(
                    read * _SECTOR_BYTES, written * _SECTOR_BYTES, reads, writes, busy / 1000
                )
        return found

    def _interfaces(self) -> Mapping[str, InterfaceCounters]:
        found: Dict[str, InterfaceCounters] = {}
        for line in self._text("proc/net/dev").splitlines()[2:]:
            name, _, rest = line.partition(":")
            words = rest.split()
            if name.strip() in LOOPBACK or len(words) < 12:
                continue
            numbers = list(map(float, words))
            state = self._text(f"sys/class/net/{name.strip()}/operstate").strip()
            found[name.strip()] = InterfaceCounters(
                received_bytes=numbers[0],
                sent_bytes=numbers[8],
                errors=numbers[2] + numbers[10],
                drops=numbers[3] + numbers[11],
                up=state in {"up", "unknown"},
            )
        return found

    def _filesystems(self) -> Mapping[str, FilesystemUse]:
        mounts: List[Mount] = []
        for line in self._text("proc/self/mounts").splitlines():
            words = line.split()
            if len(words) > 2:
                mounts.append((words[0], words[1].encode("latin-1", "replace").decode("unicode_escape"), words[2]))
        return filesystems(mounts)

    def _names(self, path: str) -> List[str]:
        with suppress(OSError):
            return sorted(os.listdir(self._path(path)))
        return []

    def _text(self, path: str) -> str:
        try:
            with open(self._path(path), "rb") as file:
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _path(self, path: str) -> str:
        return os.path.join(self._root, path)


def filesystems(mounts: Iterable[Mount]) -> Mapping[str, FilesystemUse]:
    """Those that matter, by where they are mounted; one that is mounted several times counts once."""
    seen: Set[str] = set()
    found: Dict[str, FilesystemUse] = {}
    for device, mount, kind in mounts:
        if device in seen or not matters(mount, kind):
            continue
        with suppress(OSError):
            use = _use(mount)
            if use.total >= _SMALLEST_BYTES and os.path.isdir(mount):
                found[mount] = use
                seen.update([device] if device.startswith("/") else [])
    return found


def _use(mount: str) -> FilesystemUse:
    found = os.statvfs(mount)
    size = found.f_frsize
    return FilesystemUse(
        total=float(found.f_blocks * size),
        used=float((found.f_blocks - found.f_bfree) * size),
        free=float(found.f_bavail * size),
        inodes=float(found.f_files),
        inodes_free=float(found.f_ffree),
    )


def _memory(meminfo: str) -> Mapping[str, float]:
    found: Dict[str, float] = {}
    for line in meminfo.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1].isdigit():
            found[words[0].rstrip(":")] = float(words[1]) * 1024
    if "MemTotal" not in found:
        return {}
    return {
        "total": found["MemTotal"],
        "available": found.get("MemAvailable", found.get("MemFree", 0.0)),
        "swap_total": found.get("SwapTotal", 0.0),
        "swap_free": found.get("SwapFree", 0.0),
    }
