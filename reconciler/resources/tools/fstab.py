"""/etc/fstab and the kernel's table of mounts: reading both, and changing one line of the first.

Used by `mount`. Formats: fstab(5), proc(5). Options are told apart as mount(8) does.
"""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import FILE, LINK, Access, System
from reconciler.resources.values import dataclass, field

FSTAB = "/etc/fstab"
MOUNTS = "/proc/self/mountinfo"
_NAMESPACES = ("/proc/1/ns/mnt", "/proc/self/ns/mnt")
_TABLE_BYTES = 1 << 22
_LINKS = 8
_TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
_FLAGS = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec", "sync": "async", "noatime": "atime"}
"""Options that the kernel shows on every mount, and what takes each back."""
_IMPLIED = {
    "user": ("noexec", "nosuid", "nodev"),
    "users": ("noexec", "nosuid", "nodev"),
    "owner": ("nosuid", "nodev"),
    "group": ("nosuid", "nodev"),
    "defaults": tuple(_FLAGS.values()),
}
_ACCESS_TIMES = ("noatime", "relatime", "strictatime")


@dataclass(frozen=True)
class Mounted:
    """A file system at a place: as a line of fstab wants it, or as the kernel has it."""

    device: str
    fstype: str
    options: str = field(repr=False)

    def flags(self) -> "frozenset[str]":
        """Those of its options that the kernel shows on every mount."""
        found = set()
        for word in self.options.split(","):
            for each in _IMPLIED.get(word, (word,)):
                if each in _FLAGS:
                    found.add(each)
                found -= {flag for flag, opposite in _FLAGS.items() if opposite == each}
        return frozenset(found)


def at_boot(text: str, path: str) -> Optional[Mounted]:
    """What fstab says of a mount point; of several lines the last."""
    lines = [line.split() for line in text.splitlines() if _stands_for(line, path)]
    return Mounted(_plain(lines[-1][0]), lines[-1][2], [*lines[-1], "defaults"][3]) if lines else None


def edited(text: str, path: str, wanted: Optional[Mounted]) -> str:
    """The text with this line for a mount point, in the place of the last that is there; None: without it."""
    lines = text.splitlines(keepends=True)
    known = [index for index, line in enumerate(lines) if _stands_for(line, path)]
    if wanted is None:
        return "".join(line for index, line in enumerate(lines) if index not in known[-1:])
    dump = (lines[known[-1]].split()[4:6] if known else []) + ["0", "0"]
    line = " ".join([_coded(wanted.device), _coded(path), wanted.fstype, wanted.options, *dump[:2]]) + "\n"
    if known:
        lines[known[-1]] = line
        return "".join(lines)
    return text + ("" if not text or text.endswith("\n") else "\n") + line


def read_fstab(system: System) -> str:
    """The text of fstab; empty where there is none."""
    found = system.read(FSTAB)
    return found[1].decode(errors="surrogateescape") if found else ""


def write_fstab(system: System, path: str, wanted: Optional[Mounted]) -> bool:
    """Change the line of a mount point; whether there was anything to change."""
    found = system.read(FSTAB)
    text = read_fstab(system)
    changed = edited(text, path, wanted)
    if changed == text:
        return False
    make_parents(system, FSTAB)
    rights = Access(found[0].uid, found[0].gid, found[0].mode) if found else system.own(0o644)
    system.write_atomic(FSTAB, changed.encode(errors="surrogateescape"), rights)
    return True


def now_mounted(system: System, path: str) -> Optional[Mounted]:
    """What is mounted there, the last of several on top of each other."""
    table = system.read(MOUNTS, _TABLE_BYTES)
    text = table[1].decode(errors="surrogateescape") if table else ""
    rows: List[Tuple[List[str], List[str]]] = []
    for line in text.splitlines():
        first, _, second = line.partition(" - ")
        rows.append((first.split(" "), second.split(" ")))
    there = [row for row in rows if len(row[0]) > 5 and _plain(row[0][4]) == path]
    if not there:
        return None
    own, shared = there[-1]
    options = [*own[5].split(","), *(word for word in shared[2].split(",") if word in {"ro", "sync"})]
    return Mounted(_plain(shared[1]), shared[0], ",".join(options))


def shared_mounts(system: System) -> bool:
    """Whether others see what we mount, as far as we may know: the first process has the same table."""
    try:
        first, own = (system.look(path) for path in _NAMESPACES)
    except PermissionError:
        return True
    return first is None or own is None or first.target == own.target


def same_device(system: System, wanted: Mounted, live: Mounted) -> bool:
    """Whether what is mounted may come from the wanted device; where that cannot be told, it does."""
    tag, _, value = wanted.device.partition("=")
    path = f"/dev/disk/{_TAGS[tag]}/{value.strip(chr(34))}" if tag in _TAGS else wanted.device
    entry = system.look(path) if path.startswith("/") else None
    binds = {"bind", "rbind", "loop"} & set(re.split(r"[,=]", wanted.options))
    if binds or (tag in _TAGS and entry is None) or (entry is not None and entry.kind == FILE):
        return True
    return _followed(system, path).rstrip("/") == _followed(system, live.device).rstrip("/")


def same_type(wanted: Mounted, live: Mounted) -> bool:
    """Whether the file system is of the wanted type, as far as the type's name tells."""
    untold = wanted.fstype in {"auto", "none"} or live.fstype == "autofs" or live.fstype.startswith("fuse")
    return untold or live.fstype in {wanted.fstype, f"{wanted.fstype}4"}


def remount_options(wanted: Mounted) -> str:
    """Options that bring a mount to these ones, whatever it had before."""
    words = wanted.options.split(",")
    reset = [opposite for flag, opposite in _FLAGS.items() if flag != "noatime" and flag not in wanted.flags()]
    atime = [] if set(_ACCESS_TIMES) & set(words) else ["relatime"]
    return ",".join(["remount", *reset, *atime, *(word for word in words if word != "defaults")])


def _stands_for(line: str, path: str) -> bool:
    words = line.split()
    return len(words) >= 3 and not line.lstrip().startswith("#") and (_plain(words[1]).rstrip("/") or "/") == path


def _followed(system: System, path: str) -> str:
    """Where links lead, as far as they can be followed by their own words."""
    for _ in range(_LINKS):
        entry = system.look(path) if path.startswith("/") else None
        if entry is None or entry.kind != LINK:
            break
        parts = entry.target if entry.target.startswith("/") else f"{path.rpartition('/')[0]}/{entry.target}"
        path = _normal(parts)
    return path


def _normal(path: str) -> str:
    way: List[str] = []
    for part in path.split("/"):
        if part == "..":
            way = way[:-1]
        elif part not in {"", "."}:
            way.append(part)
    return "/" + "/".join(way)


def _coded(text: str) -> str:
    return re.sub(r"[\s\\#]", lambda found: f"\\{ord(found[0]):03o}", text)


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
