"""Paths on a host: the directories on the way, who owns what stands there, and how it was, to go back to it.

Used by the kinds that stand at a path and by the engine's memory of a run.
"""

from __future__ import annotations

import posixpath
from typing import AbstractSet, Any, Dict, Iterable, List, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import DIRECTORY, FILE, LINK, Access, Entry, System

PARENT_MODE = 0o755


def missing_parents(system: System, path: str) -> Tuple[str, ...]:
    """Directories on the way to a path that do not exist, outermost first."""
    missing: List[str] = []
    parent = posixpath.dirname(path)
    while parent != "/" and system.look(parent) is None:
        missing.append(parent)
        parent = posixpath.dirname(parent)
    return tuple(reversed(missing))


def make_parents(system: System, path: str) -> None:
    """Make the directories on the way: mode 0755, owned by root."""
    for parent in missing_parents(system, path):
        system.mkdir(parent, system.own(PARENT_MODE))


def remove_leaf(system: System, path: str) -> None:
    """Remove a file or a link if it is there; a directory that stands there meanwhile is not ours."""
    entry = system.look(path)
    if entry is not None and entry.kind != DIRECTORY:
        system.remove(path)


def remove_if_empty(system: System, path: str) -> bool:
    """Remove a directory that holds nothing any more; whether it is gone."""
    entry = system.look(path)
    if entry is None:
        return True
    if entry.kind != DIRECTORY or system.listdir(path):
        return False
    system.remove(path)
    return True


def drop_empty(system: System, directories: Iterable[str], places: AbstractSet[str]) -> List[str]:
    """Remove the directories that hold nothing and lead to none of the places; those that stay, sorted."""
    stay = []
    for directory in sorted(directories, key=len, reverse=True):
        wanted = any(place.startswith(f"{directory}/") for place in places)
        if wanted or not remove_if_empty(system, directory):
            stay.append(directory)
    return sorted(stay)


def access(system: System, owner: str, group: str, mode: int) -> Access:
    """Owner and group as numbers.

    Raises:
        Failure: `no-such-user`, `no-such-group`.
    """
    uid, gid = system.uid(owner), system.gid(group)
    if uid is None:
        raise Failure("no-such-user", f"there is no user {owner}", "Declare it before this resource.")
    if gid is None:
        raise Failure("no-such-group", f"there is no group {group}", "Declare it before this resource.")
    return Access(uid, gid, mode)


def owner_names(system: System, entry: Optional[Entry], owner: str, group: str) -> Tuple[str, str]:
    """Who owns it, under the wanted name where the number is the same; empty where there is nothing to own.

    Raises:
        Failure: `foreign-owner`, in a sandbox, before anything is done.
    """
    uid, gid = system.uid(owner), system.gid(group)
    if entry is None:
        return "", ""
    user = owner if uid == entry.uid else system.user_name(entry.uid)
    team = group if gid == entry.gid else system.group_name(entry.gid)
    return user, team


def snapshot(system: System, path: str) -> Dict[str, Any]:
    """What stands at a path, as JSON; a file's content goes to a backup, named by nothing that tells of it."""
    entry = system.look(path)
    if entry is None:
        return {"kind": "absent"}
    memory: Dict[str, Any] = {"kind": entry.kind, "uid": entry.uid, "gid": entry.gid, "mode": entry.mode}
    if entry.kind == LINK:
        memory["target"] = entry.target
    elif entry.kind == FILE:
        memory["backup"] = _back_up(system, path)
    elif entry.kind != DIRECTORY:
        raise Failure("special-file", f"{path} is neither a file nor a directory nor a link", "Remove it by hand.")
    return memory


def _back_up(system: System, path: str) -> str:
    found = system.read(path)
    if found is None:
        raise Failure("host-error", f"{path} changed while it was looked at")
    name = system.entropy(16).hex()
    directory = backups(system)
    if system.look(directory) is None:
        system.mkdir(directory, system.own(0o700))
    system.write_atomic(f"{directory}/{name}", found[1], system.own(0o600))
    return name


def backups(system: System) -> str:
    """The directory of what files held before."""
    return f"{system.state}/backups"


def restore(system: System, path: str, memory: Mapping[str, Any]) -> bool:
    """Bring a path back to its snapshot; whether anything had to be done. A directory with other things in it stays."""
    if _matches(system, path, memory):
        return False
    entry = system.look(path)
    if entry is not None and (entry.kind == DIRECTORY) != (memory["kind"] == DIRECTORY):
        if entry.kind == DIRECTORY and system.listdir(path):
            return False
        system.remove(path)
    _put_back(system, path, memory)
    return True


def _put_back(system: System, path: str, memory: Mapping[str, Any]) -> None:
    kind = memory["kind"]
    if kind == "absent":
        if system.look(path) is not None:
            system.remove(path)
        return
    rights = Access(memory["uid"], memory["gid"], memory["mode"])
    make_parents(system, path)
    if kind == FILE:
        content = system.read(f"{backups(system)}/{memory['backup']}")
        if content is None:
            raise Failure("backup-missing", f"the backup of {path} is gone")
        system.write_atomic(path, content[1], rights)
    elif kind == LINK:
        system.symlink(path, memory["target"])
        system.grant_link(path, rights.uid, rights.gid)
    elif system.look(path) is None:
        system.mkdir(path, rights)
    else:
        system.grant(path, rights)


def _matches(system: System, path: str, memory: Mapping[str, Any]) -> bool:
    entry = system.look(path)
    if entry is None:
        return bool(memory["kind"] == "absent")
    if entry.kind != memory["kind"] or (entry.uid, entry.gid) != (memory["uid"], memory["gid"]):
        return False
    if entry.kind == LINK:
        return bool(entry.target == memory["target"])
    if entry.mode != memory["mode"]:
        return False
    if entry.kind == FILE:
        now, then = system.read(path), system.read(f"{backups(system)}/{memory['backup']}")
        return now is not None and then is not None and now[1] == then[1]
    return True
