"""What a machine's counters say at one moment, and the metrics that two such moments make. Pure.

Filled by `proc` on hosts over SSH and by `probes.readings` on this machine; `sampling` asks for both. The names are
those of `model.metrics`; what there are several of stands in brackets: `filesystem.percent[/var]`.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple, TypeVar

from reconciler.resources.values import dataclass, field

T = TypeVar("T")

MOST_INSTANCES = 64
"""Filesystems, interfaces and sensors of one host; what is more is left out."""

LOOPBACK = frozenset({"lo", "lo0"})
_TYPES = (
    "apfs bcachefs btrfs exfat ext2 ext3 ext4 f2fs fuseblk hfs jfs ntfs ntfs3 overlay reiserfs tmpfs ufs vfat xfs zfs"
)
DEVICE_FILESYSTEMS = frozenset(_TYPES.split())
"""Types whose filling up matters. The others are made by the kernel, as full as they will ever be, or another
machine's, which can keep who asks waiting."""

_UNIMPORTANT = ("/proc", "/sys", "/dev", "/run", "/snap")
_OVERLAYS = ("/var/lib/docker/", "/var/lib/containers/", "/var/lib/kubelet/")


@dataclass(frozen=True)
class DiskCounters:
    """Since boot, of one whole disk."""

    read_bytes: float
    write_bytes: float
    reads: float
    writes: float
    busy_seconds: Optional[float]


@dataclass(frozen=True)
class InterfaceCounters:
    """Since it came up."""

    received_bytes: float
    sent_bytes: float
    errors: float
    drops: float
    up: bool


@dataclass(frozen=True)
class FilesystemUse:
    """As statvfs(3) has it; `free` is what unprivileged users can have."""

    total: float
    used: float
    free: float
    inodes: float
    inodes_free: float


@dataclass(frozen=True)
class Readings:
    """One look at a machine. What could not be read is empty or None."""

    at: float
    """Monotonic seconds."""
    cpu: Mapping[str, float]
    """Seconds by kind, summed over processors: user, nice, system, idle, iowait, irq, softirq, steal."""
    cores: int = 0
    load: Tuple[float, ...] = ()
    memory: Mapping[str, float] = field(default_factory=dict)
    """total, available, swap_total, swap_free; bytes."""
    disks: Mapping[str, DiskCounters] = field(default_factory=dict)
    interfaces: Mapping[str, InterfaceCounters] = field(default_factory=dict)
    filesystems: Mapping[str, FilesystemUse] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    uptime_seconds: Optional[float] = None
    processes: Mapping[str, float] = field(default_factory=dict)
    """count, running, zombies."""
    descriptors: Tuple[float, ...] = ()
    """Open, and how many may be."""


def metrics(before: Optional[Readings], now: Readings) -> Dict[str, float]:
    """The metrics of a moment. Rates need a look before; without one, or when a counter fell, they are left out."""
    seconds = now.at - before.at if before else 0.0
    found: Dict[str, float] = {"cpu.count": float(now.cores)} if now.cores else {}
    found.update(zip(("load.one", "load.five", "load.fifteen"), now.load))
    found.update(_memory(now.memory))
    found.update(_filesystems(now.filesystems))
    found.update({named("temperature.celsius", name): value for name, value in _first(now.temperatures)})
    found.update({f"process.{name}": value for name, value in now.processes.items()})
    found.update({named("interface.up", name): float(each.up) for name, each in _first(now.interfaces)})
    if now.uptime_seconds is not None:
        found["uptime.seconds"] = now.uptime_seconds
    if len(now.descriptors) == 2:
        found["file_descriptor.count"] = now.descriptors[0]
        found["file_descriptor.percent"] = _percent(*now.descriptors)
    if before is not None and seconds > 0:
        found.update(_processor(before.cpu, now.cpu))
        found.update(_disk_rates(before.disks, now.disks, seconds))
        found.update(_network_rates(before.interfaces, now.interfaces, seconds))
    return found


def named(metric: str, instance: str) -> str:
    """A metric of one of several things; a name that is odd or long is made harmless."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in instance[:120])
    return f"{metric}[{shown}]"


def matters(mount: str, kind: str) -> bool:
    """Whether a filesystem is one that people would want to hear of when it is full."""
    if kind not in DEVICE_FILESYSTEMS:
        return False
    if any(mount == path or mount.startswith(f"{path}/") for path in _UNIMPORTANT):
        return False
    return not (kind == "overlay" and mount.startswith(_OVERLAYS))


def _memory(memory: Mapping[str, float]) -> Dict[str, float]:
    if "total" not in memory:
        return {}
    used = memory["total"] - memory["available"]
    swapped = memory["swap_total"] - memory["swap_free"]
    return {
        "mem.percent": _percent(used, memory["total"]),
        "mem.total_bytes": memory["total"],
        "mem.used_bytes": used,
        "mem.available_bytes": memory["available"],
        "swap.percent": _percent(swapped, memory["swap_total"]),
        "swap.used_bytes": swapped,
        "swap.total_bytes": memory["swap_total"],
    }


def _filesystems(filesystems: Mapping[str, FilesystemUse]) -> Dict[str, float]:
    found: Dict[str, float] = {}
    shares: List[float] = []
    for mount, use in _first(filesystems):
        share = _percent(use.used, use.used + use.free)
        shares.append(share)
        found[named("filesystem.percent", mount)] = share
        found[named("filesystem.free_bytes", mount)] = use.free
        found[named("filesystem.used_bytes", mount)] = use.used
        found[named("filesystem.total_bytes", mount)] = use.total
        if use.inodes:
            found[named("filesystem.inodes_percent", mount)] = _percent(use.inodes - use.inodes_free, use.inodes)
    if shares:
        found["disk.percent"] = max(shares)
    return found


def _processor(before: Mapping[str, float], now: Mapping[str, float]) -> Dict[str, float]:
    spent = {name: max(0.0, value - before.get(name, value)) for name, value in now.items()}
    whole = sum(spent.values())
    if whole <= 0:
        return {}
    get = spent.get
    idle = get("idle", 0.0) + get("iowait", 0.0)
    return {
        "cpu.percent": _percent(whole - idle, whole),
        "cpu.user_percent": _percent(get("user", 0.0) + get("nice", 0.0), whole),
        "cpu.system_percent": _percent(get("system", 0.0) + get("irq", 0.0) + get("softirq", 0.0), whole),
        "cpu.iowait_percent": _percent(get("iowait", 0.0), whole),
        "cpu.steal_percent": _percent(get("steal", 0.0), whole),
    }


def _disk_rates(
    before: Mapping[str, DiskCounters], now: Mapping[str, DiskCounters], seconds: float
) -> Dict[str, float]:
    pairs = [(before[name], disk) for name, disk in now.items() if name in before]
    found = {
        f"disk.{name}_per_second": sum(_grown(getattr(old, name), getattr(new, name)) for old, new in pairs) / seconds
        for name in ("read_bytes", "write_bytes", "reads", "writes")
    }
    busy = [_grown(old.busy_seconds or 0.0, new.busy_seconds) for old, new in pairs if new.busy_seconds is not None]
    if busy:
        found["disk.busy_percent"] = min(100.0, 100.0 * max(busy) / seconds)
    return found if pairs else {}


def _network_rates(
    before: Mapping[str, InterfaceCounters], now: Mapping[str, InterfaceCounters], seconds: float
) -> Dict[str, float]:
    kinds = ("received_bytes", "sent_bytes", "errors", "drops")
    total = dict.fromkeys(kinds, 0.0)
    found: Dict[str, float] = {}
    for name, new in _first(now):
        if name not in before:
            continue
        for kind in kinds:
            rate = _grown(getattr(before[name], kind), getattr(new, kind)) / seconds
            found[named(f"interface.{kind}_per_second", name)] = rate
            total[kind] += rate
    found.update({f"network.{kind}_per_second": rate for kind, rate in total.items()})
    return found


def _grown(before: float, now: float) -> float:
    """By how much a counter grew; one that fell began anew."""
    return now - before if now >= before else now


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 else 0.0


def _first(things: Mapping[str, T]) -> List[Tuple[str, T]]:
    return [(name, things[name]) for name in sorted(things)[:MOST_INSTANCES]]
