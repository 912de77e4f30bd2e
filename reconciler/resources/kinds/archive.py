"""`archive`: a tar or zip file, unpacked into a directory and kept as it was unpacked."""

from __future__ import annotations

import re
from typing import BinaryIO, ClassVar, Dict, FrozenSet, Iterator, List, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, AtPath, Context, Difference, changes
from reconciler.resources.kinds.unpacked import (
    Left,
    Unpacked,
    archives,
    below,
    read_unpacked,
    right_access,
    right_content,
    unpacked_path,
    write_unpacked,
)
from reconciler.resources.kinds.unpacking import MAX_ARCHIVE_BYTES, Member, contents, listing, sha256_of
from reconciler.resources.machine.downloads import SCHEMES
from reconciler.resources.machine.places import access, make_parents, remove_if_empty, remove_leaf
from reconciler.resources.machine.system import DIRECTORY, LINK, Access, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.accounts import accounts
from reconciler.resources.values import dataclass, replace

_SHOWN = 5
_DOWNLOAD = ".download"


@dataclass(frozen=True)
class ArchiveState:
    """What an earlier archive left, and how it looks now."""

    sha256: str = ""
    strip: int = 0
    owner: str = "root"
    offered: str = ""
    """Checksum of what is to be unpacked."""
    missing: Tuple[str, ...] = ()
    changed: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive(AtPath):
    """An unpacked archive. It goes over what it left before, never over what is not its own.

    Files that other resources declare are left to these. Nothing unpacked is writable to anyone but its owner.
    """

    kind: ClassVar[str] = "archive"

    source: str
    path: str
    sha256: str = ""
    owner: str = "root"
    strip: int = 0
    present: bool = True
    declared: FrozenSet[str] = frozenset()
    """Paths of other resources; filled in by the engine."""
    replaces: bool = False
    """Whether it may go over what is not ours; filled in by the engine."""

    @classmethod
    def parse(cls, fields: Fields) -> "Archive":
        """Read the manifest's fields."""
        source, sha256 = fields.text("source"), fields.text("sha256", "").lower()
        scheme = source.partition("://")[0] if "://" in source else ""
        if scheme not in SCHEMES and not re.match(r"/[^/]", source):
            raise fields.wrong("source", "an http or https URL, or an absolute path on the host")
        if not re.match(r"[0-9a-f]{64}\Z" if sha256 or scheme else r"\Z", sha256):
            raise fields.wrong("sha256", "the 64 digits of the checksum")
        return cls(
            source=source,
            path=fields.path(),
            sha256=sha256,
            owner=fields.text("owner", "root"),
            strip=fields.number("strip") or 0,
            present=fields.choice("state", "present", "absent") == "present",
        )

    @property
    def _remote(self) -> bool:
        return not self.source.startswith("/")

    # -- looking

    def within(self, context: Context) -> Archive:
        """See Resource."""
        return replace(self, declared=context.declared - {self.path}, replaces=context.replaces)

    def inspect(self, system: System) -> Optional[ArchiveState]:
        known = read_unpacked(system, self.path)
        if known is None:
            return None
        if self.absent:
            return ArchiveState(known.sha256, known.strip, known.owner)
        owner = self._owner(system)
        missing: List[str] = []
        changed: List[str] = []
        for path, left in known.things.items():
            place = below(self.path, path)
            entry = system.look(place)
            fine = entry is not None and right_content(system, place, entry, left) and right_access(entry, left, owner)
            if not fine and place not in self.declared:
                (missing if entry is None else changed).append(path or self.path)
        offered = self._offered(system, known)
        return ArchiveState(known.sha256, known.strip, known.owner, offered, tuple(missing), tuple(changed))

    def _offered(self, system: System, known: Unpacked) -> str:
        """The checksum of what there is to unpack; a file of the host is read again only if it changed."""
        if self.sha256:
            return self.sha256
        entry = system.look(self.source)
        if entry is None or (entry.size, entry.modified) == known.source:
            return known.sha256
        with system.open(self.source) as file:
            return sha256_of(file)

    def _owner(self, system: System) -> Tuple[int, int]:
        """The owner's number, and that of the group that goes with it."""
        account = accounts(system).get(self.owner)
        found = access(system, self.owner, "root", 0)
        return found.uid, account.gid if account and not system.sandbox else found.gid

    def difference(self, actual: Optional[ArchiveState]) -> Difference:
        if actual is None:
            return NOTHING if self.absent else Difference(ADD)
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",))
        lines = changes(
            ("sha256", actual.sha256[:12] or "unfinished", actual.offered[:12]),
            ("strip", actual.strip, self.strip),
            ("owner", actual.owner, self.owner),
        )
        lines = (*lines, *_told("missing", actual.missing), *_told("changed", actual.changed))
        return Difference(CHANGE, lines) if lines else NOTHING

    # -- acting

    def prepare(self, system: System, difference: Difference) -> Difference:
        """Fetch it and read what is in it: every path that will be written is remembered before.

        Raises:
            Failure: it cannot be had, is not what was asked for, or would go over what is not ours.
        """
        known = read_unpacked(system, self.path) or Unpacked()
        paths = tuple(below(self.path, path) for path, left in known.things.items() if not left.found)
        if self.present:
            self._fetch(system)
            with self._opened(system) as file:
                wanted = self._wanted(system, known, listing(file, self.strip))
            kept = {below(self.path, path) for path in wanted}
            gone = [path for path in paths if path not in kept]
            paths = (*gone, *(below(self.path, path) for path in self._wrong(system, known, wanted)))
        return replace(difference, paths=(*paths, unpacked_path(system, self.path)))

    def _fetch(self, system: System) -> None:
        """Have the archive on the host; what a killed run fetched is used again, or goes."""
        directory = archives(system)
        make_parents(system, f"{directory}/any")
        for name in system.listdir(directory):
            if name.endswith(_DOWNLOAD) and name != f"{self.sha256}{_DOWNLOAD}":
                system.remove(f"{directory}/{name}")
        if self._remote and not self._is_right(system):
            system.download(self.source, self._local(system), MAX_ARCHIVE_BYTES)
        if self.sha256 and not self._is_right(system):
            raise Failure("wrong-checksum", "the archive is not the one with this sha256", "Nothing was unpacked.")

    def _is_right(self, system: System) -> bool:
        try:
            with self._opened(system) as file:
                return sha256_of(file) == self.sha256
        except FileNotFoundError:
            return False

    def _local(self, system: System) -> str:
        return f"{archives(system)}/{self.sha256}{_DOWNLOAD}" if self._remote else self.source

    def _opened(self, system: System) -> BinaryIO:
        return system.open(self._local(system))

    def _wanted(self, system: System, known: Unpacked, members: Dict[str, Member]) -> Dict[str, Left]:
        """What is to stand there, and what of it was there before us."""
        wanted: Dict[str, Left] = {}
        for path, member in {"": Member(DIRECTORY, 0o755), **members}.items():
            place = below(self.path, path)
            if place in self.declared:
                continue
            earlier = known.things.get(path)
            found = earlier.found if earlier else system.look(place) is not None
            wanted[path] = Left(member, found, earlier.modified if earlier and earlier.member == member else 0.0)
        return wanted

    def _wrong(self, system: System, known: Unpacked, wanted: Dict[str, Left]) -> Iterator[str]:
        """Paths that must be written; refuses where that would destroy what is not ours."""
        owner = self._owner(system)
        for path, left in wanted.items():
            place = below(self.path, path)
            entry = system.look(place)
            if entry is not None and right_content(system, place, entry, left):
                if not right_access(entry, left, owner):
                    yield path
                continue
            if entry is not None and entry.kind == DIRECTORY:
                raise Failure("wrong-type", f"{place} is a directory, in the archive it is a {left.member.kind}")
            if entry is not None and path not in known.things and not self.replaces:
                raise Failure("not-ours", f"{place} exists, differs and is not ours", "Take over: adopt: replace")
            yield path

    def apply(self, system: System, difference: Difference) -> None:
        """Say what will be ours, do it, say that it is done. A run after a kill begins again and comes to the same."""
        known = read_unpacked(system, self.path) or Unpacked()
        if self.absent:
            _clear(system, self.path, known)
            return
        places = frozenset(difference.paths)
        with self._opened(system) as file:
            done = Unpacked(sha256_of(file), self.strip, self.owner, self._source_state(system))
            wanted = self._wanted(system, known, listing(file, self.strip))
            gone = {path: left for path, left in known.things.items() if path not in wanted}
            write_unpacked(system, self.path, Unpacked(things={**gone, **wanted}))
            _remove(system, self.path, gone)
            todo = {path: left.member for path, left in wanted.items() if below(self.path, path) in places}
            self._write(system, file, todo)
        things = {path: self._settled(system, path, left) for path, left in wanted.items()}
        if self._remote:
            remove_leaf(system, self._local(system))
        write_unpacked(system, self.path, replace(done, things=things))

    def _source_state(self, system: System) -> Tuple[float, ...]:
        entry = None if self._remote else system.look(self.source)
        return (entry.size, entry.modified) if entry else ()

    def _write(self, system: System, file: BinaryIO, todo: Dict[str, Member]) -> None:
        uid, gid = self._owner(system)
        for path, member in todo.items():
            place, rights = below(self.path, path), Access(uid, gid, member.mode)
            if member.kind == DIRECTORY:
                _make_directory(system, place, rights)
            elif member.kind == LINK:
                system.symlink(place, member.target)
                system.grant_link(place, uid, gid)
        files = {path for path, member in todo.items() if member.kind not in {DIRECTORY, LINK}}
        for path, read in contents(file, self.strip) if files else ():
            if path in files:
                system.write_atomic(below(self.path, path), read(), Access(uid, gid, todo[path].mode))

    def _settled(self, system: System, path: str, left: Left) -> Left:
        entry = system.look(below(self.path, path))
        return replace(left, modified=entry.modified if entry and entry.kind != DIRECTORY else 0.0)

    def preexisting(self, actual: Optional[ArchiveState], difference: Difference) -> bool:
        """Told for each thing in it, not for the whole."""
        return False

    # -- letting go

    @classmethod
    def paths_of(cls, system: System, owned: Owned) -> Tuple[str, ...]:
        known = read_unpacked(system, owned.path) or Unpacked()
        things = (below(owned.path, path) for path, left in known.things.items() if not left.found)
        return (*things, unpacked_path(system, owned.path))

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """Remove what we unpacked; a directory goes only when it is empty."""
        _clear(system, owned.path, read_unpacked(system, owned.path) or Unpacked())


def _told(word: str, paths: Tuple[str, ...]) -> Tuple[str, ...]:
    more = (f"{word}: {len(paths) - _SHOWN} more",) if len(paths) > _SHOWN else ()
    return (*(f"{word}: {path}" for path in paths[:_SHOWN]), *more)


def _clear(system: System, place: str, known: Unpacked) -> None:
    _remove(system, place, dict(known.things))
    remove_leaf(system, unpacked_path(system, place))


def _remove(system: System, place: str, things: Dict[str, Left]) -> None:
    for path in sorted(things, reverse=True):
        whole = below(place, path)
        entry = system.look(whole)
        if entry is None or things[path].found:
            continue
        if entry.kind == DIRECTORY:
            remove_if_empty(system, whole)
        elif entry.kind == things[path].member.kind:
            system.remove(whole)


def _make_directory(system: System, place: str, rights: Access) -> None:
    entry = system.look(place)
    if entry is not None and entry.kind != DIRECTORY:
        system.remove(place)
        entry = None
    if entry is None:
        make_parents(system, place)
        system.mkdir(place, rights)
        return
    system.grant(place, rights)
