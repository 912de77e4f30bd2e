"""What an archive left at its place: kept beside the ledger, so that a look needs no archive and removing is exact.

Used by `archive`. One JSON file for each place; it tells what we made from what was there before.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Mapping, Optional, Tuple

from reconciler.resources.kinds.unpacking import Member, sha256_of
from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import DIRECTORY, FILE, LINK, Entry, System
from reconciler.resources.values import asdict, dataclass, field


@dataclass(frozen=True)
class Left:
    """One thing that stands there."""

    member: Member
    found: bool = False
    """It was there before us, so it stays."""
    modified: float = 0.0
    """When a file was last written, in Unix seconds; as long as that holds it is not read again."""


@dataclass(frozen=True)
class Unpacked:
    """All of it."""

    sha256: str = ""
    """Of the archive; empty while it is being unpacked."""
    strip: int = 0
    owner: str = "root"
    source: Tuple[float, ...] = ()
    """Size and time of change of the archive where it is a file of the host."""
    things: Mapping[str, Left] = field(default_factory=dict)
    """By path below the place; the place itself is the empty path. Sorted, so that directories come first."""


def unpacked_path(system: System, place: str) -> str:
    """Where it is kept."""
    return f"{archives(system)}/{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"


def archives(system: System) -> str:
    """The directory of what archives left."""
    return f"{system.state}/archives"


def read_unpacked(system: System, place: str) -> Optional[Unpacked]:
    """What was left at a place; None where nothing was, or nobody knows."""
    found = system.read(unpacked_path(system, place))
    try:
        return _from_json(json.loads(found[1])) if found else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def write_unpacked(system: System, place: str, unpacked: Unpacked) -> None:
    """Keep it."""
    path = unpacked_path(system, place)
    make_parents(system, path)
    system.write_atomic(path, json.dumps(asdict(unpacked)).encode(), system.own(0o600))


def _from_json(document: Dict[str, Any]) -> Unpacked:
    things = {
        path: Left(Member(**left["member"]), bool(left["found"]), float(left["modified"]))
        for path, left in document["things"].items()
    }
    source = tuple(document["source"])
    return Unpacked(document["sha256"], document["strip"], document["owner"], source, dict(sorted(things.items())))


def below(place: str, path: str) -> str:
    """The whole path of something that stands at a place."""
    return f"{place}/{path}" if path else place


def right_content(system: System, path: str, entry: Optional[Entry], left: Left) -> bool:
    """Whether the wanted thing stands there, whoever owns it."""
    member = left.member
    if entry is None or entry.kind != member.kind:
        return False
    if member.kind == LINK:
        return entry.target == member.target
    if member.kind == FILE and entry.modified != left.modified:
        return entry.size == member.size and _sum(system, path) == member.sha256
    return member.kind == DIRECTORY or entry.size == member.size


def right_access(entry: Entry, left: Left, owner: Tuple[int, int]) -> bool:
    """Whether it has the wanted owner and mode; a directory that was there before us is not ours to judge."""
    if left.found and entry.kind == DIRECTORY:
        return True
    return (entry.uid, entry.gid) == owner and (entry.kind == LINK or entry.mode == left.member.mode)


def _sum(system: System, path: str) -> str:
    with system.open(path) as file:
        return sha256_of(file)
