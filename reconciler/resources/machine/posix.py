"""A real Linux host, or a directory of it that plays one. Implements the `System` port for files and users.

Programs are `processes`' part, the right to write is `lock`'s, the safe way to a directory is `walk`'s.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Callable, Dict, Iterator, Optional, Sequence, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.facts import boot_id
from reconciler.resources.machine.lock import Lock
from reconciler.resources.machine.names import group_name, group_number, number, user_name, user_number
from reconciler.resources.machine.system import (
    DIRECTORY,
    FILE,
    LINK,
    OTHER,
    Access,
    Claim,
    Clock,
    Command,
    Completed,
    Entry,
    Hearing,
)
from reconciler.resources.machine.walk import made_state, open_directory

if TYPE_CHECKING:
    from reconciler.resources.machine.enclosure import Enclosure

STATE = "/var/lib/reconciler"
TEMPORARY_PREFIX = ".reconciler-"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def temporary_name(name: str) -> str:
    """Where a file of this name is written before it is renamed: always the same, so that it can be swept.

    Two names may share one: whoever writes, holds the lock, and begins by removing what stands there.
    """
    return f"{TEMPORARY_PREFIX}{zlib.crc32(name.encode()):08x}"


class PosixSystem:
    """The host itself (`root="/"`), or a sandbox: a directory where every path lives below `root`."""

    def __init__(self, root: str = "/", *, clock: Clock, environ: Optional[Dict[str, str]] = None) -> None:
        self.root = os.path.realpath(root)
        self.sandbox = self.root != "/"
        self.clock = clock
        self._environ = dict(os.environ if environ is None else environ)
        self.state = self._state_directory()
        self._lock: Optional[Lock] = None
        self._enclosure: Optional[Enclosure] = None
        self._hearing: Optional[Hearing] = None
        self._uids: Dict[str, int] = {}
        self._gids: Dict[str, int] = {}

    @property
    def boot(self) -> str:
        """See System. A sandbox is as old as the machine that it is on."""
        return boot_id()

    def _state_directory(self) -> str:
        if self.sandbox or os.geteuid() == 0:
            return STATE
        home = self._environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
        return os.path.join(os.path.abspath(home), "reconciler")

    # -- the right to write

    @contextmanager
    def exclusive(self, claim: Claim, place: str = "") -> Iterator[None]:
        """See System. The lock's files stand beside the ledger, or in that place."""
        with Lock(made_state(self._real(self.state), place), claim, self.clock) as lock:
            self._lock = lock
            try:
                yield
            finally:
                self._lock = None

    def _real(self, path: str) -> str:
        return self.root.rstrip("/") + path

    # -- looking

    def look(self, path: str) -> Optional[Entry]:
        """See System."""
        try:
            with self._parent(path) as (parent, name):
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
                target = os.readlink(name, dir_fd=parent) if stat.S_ISLNK(found.st_mode) else ""
        except FileNotFoundError:
            return None
        return _entry(found, target)

    def read(self, path: str, limit: Optional[int] = None) -> Optional[Tuple[Entry, bytes]]:
        """See System."""
        try:
            with self._parent(path) as (parent, name):
                if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                    return None
                descriptor = os.open(name, _READ, dir_fd=parent)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return None
            content = _read(descriptor, found.st_size if limit is None else limit, unlimited=limit is None)
            file.close()
        return _entry(found), content

    def open(self, path: str) -> BinaryIO:
        """See System."""
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, _READ, dir_fd=parent)
        file = os.fdopen(descriptor, "rb")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            file.close()
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return file

    def download(self, url: str, path: str, limit: int) -> None:
        """See System."""
        with self._parent(path) as (parent, name):
            _discard(name, parent)
            descriptor = os.open(name, _CREATE, 0o600, dir_fd=parent)
            with os.fdopen(descriptor, "wb") as file:
                from reconciler.resources.machine.downloads import fetch  # noqa: PLC0415 - 25 ms, and few need it

                fetch(url, file, limit)

    def listdir(self, path: str) -> Sequence[str]:
        """See System."""
        with open_directory(self.root, path) as directory:
            listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
            try:
                return sorted(os.listdir(listing))
            finally:
                os.close(listing)

    @contextmanager
    def _parent(self, path: str) -> Iterator[Tuple[int, str]]:
        """The directory that a path stands in and its name there; errors name the whole path."""
        directory, name = os.path.split(path)
        if not path.startswith("/") or name in {"", ".", ".."} or "\0" in path:
            raise Failure("bad-path", f"{path!r} is no absolute path of a file or directory")
        try:
            with open_directory(self.root, directory) as parent:
                yield parent, name
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error

    # -- acting

    def write_atomic(self, path: str, content: bytes, access: Access, validate: Tuple[str, ...] = ()) -> None:
        """See System."""
        with self._parent(path) as (parent, name):
            temporary = temporary_name(name)
            _discard(temporary, parent)
            try:
                descriptor = os.open(temporary, _CREATE, 0o600, dir_fd=parent)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    if validate:
                        os.fsync(descriptor)
                        self._validate(validate, parent, temporary, path)
                    _grant(descriptor, access)
                    os.fsync(descriptor)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                _discard(temporary, parent)
                raise
            _sync_directory(parent)

    def _validate(self, argv: Tuple[str, ...], parent: int, temporary: str, path: str) -> None:
        place = os.path.join(os.readlink(f"/proc/self/fd/{parent}"), temporary)
        done = self.run(Command(tuple(part.replace("%s", place) for part in argv), timeout_seconds=60.0))
        if not done.ok:
            said = done.complaint.replace(place, path)
            raise Failure("validate-failed", f"{argv[0]} refuses the new {path}", "The old file is untouched.", said)

    def append(self, path: str, content: bytes) -> None:
        """See System."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, flags, 0o600, dir_fd=parent)
            try:
                fresh = os.fstat(descriptor).st_size == 0
                os.write(descriptor, content)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                _sync_directory(parent)

    def symlink(self, path: str, target: str) -> None:
        """See System."""
        if "\0" in target:
            raise Failure("bad-path", f"the target {target!r} of {path} is no path")
        with self._parent(path) as (parent, name):
            temporary = temporary_name(name)
            _discard(temporary, parent)
            os.symlink(target, temporary, dir_fd=parent)
            try:
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                _discard(temporary, parent)
                raise
            _sync_directory(parent)

    def mkdir(self, path: str, access: Access) -> None:
        """See System."""
        with self._parent(path) as (parent, name):
            temporary = temporary_name(name)
            _discard(temporary, parent)
            os.mkdir(temporary, 0o700, dir_fd=parent)
            try:
                descriptor = os.open(temporary, _OPEN_DIRECTORY, dir_fd=parent)
                try:
                    _grant(descriptor, access)
                finally:
                    os.close(descriptor)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                _discard(temporary, parent)
                raise
            _sync_directory(parent)

    def grant(self, path: str, access: Access) -> None:
        """See System. What is looked at is what is changed: one descriptor, never through a link."""
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, _READ, dir_fd=parent)
            try:
                _refuse_shared(os.fstat(descriptor), parent, path)
                _grant(descriptor, access)
            finally:
                os.close(descriptor)

    def grant_link(self, path: str, uid: int, gid: int) -> None:
        """See System. A descriptor of the link itself can only be used by its name in /proc."""
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            try:
                found = os.fstat(descriptor)
                if not stat.S_ISLNK(found.st_mode):
                    raise Failure("special-file", f"{path} is not the link that was put there", "Run it again.")
                _refuse_shared(found, parent, path)
                os.chown(f"/proc/self/fd/{descriptor}", uid, gid)
            finally:
                os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """See System."""
        with self._parent(old) as (source, name), self._parent(new) as (destination, other):
            os.rename(name, other, src_dir_fd=source, dst_dir_fd=destination)
            _sync_directory(destination)

    def remove(self, path: str) -> None:
        """See System."""
        with self._parent(path) as (parent, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)
            _sync_directory(parent)

    def sweep(self, path: str) -> None:
        """See System."""
        with suppress(FileNotFoundError, Failure), self._parent(path) as (parent, name):
            _discard(temporary_name(name), parent)

    # -- users and programs

    def uid(self, name: str) -> Optional[int]:
        """See System. In a sandbox `root` is whoever runs this, and there is nobody else."""
        if self.sandbox:
            return self._own(name, os.geteuid(), user_name(os.geteuid()))
        return number(name, self._uids, user_number)

    def gid(self, name: str) -> Optional[int]:
        """See System."""
        if self.sandbox:
            return self._own(name, os.getegid(), group_name(os.getegid()))
        return number(name, self._gids, group_number)

    def _own(self, name: str, number: int, real: str) -> int:
        if name in {"root", real, str(number)}:
            return number
        raise Failure("foreign-owner", f"a sandbox has no {name}", "Use when: not host.sandbox, or leave it at root.")

    def own(self, mode: int) -> Access:
        """See System."""
        return Access(os.geteuid(), os.getegid(), mode)

    def user_name(self, uid: int) -> str:
        """See System."""
        return "root" if self.sandbox and uid == os.geteuid() else user_name(uid)

    def group_name(self, gid: int) -> str:
        """See System."""
        return "root" if self.sandbox and gid == os.getegid() else group_name(gid)

    def has_program(self, name: str) -> bool:
        """See System."""
        from reconciler.resources.machine.processes import has_program  # noqa: PLC0415 - see `run`

        return has_program(name)

    def run(self, command: Command) -> Completed:
        """See System. In a sandbox it starts in the sandbox's root, which stands in RECONCILER_ROOT."""
        from reconciler.resources.machine.processes import Watched, run  # noqa: PLC0415 - slow to load, a look needs none

        directory = self._real(command.cwd or "/")
        extra = {"RECONCILER_ROOT": self.root} if self.sandbox else {}
        return run(command, directory, extra, Watched(self._lock, self._enclosure, self._hearing), self.clock)

    @contextmanager
    def enclosed(self, name: str, hearing: Hearing, *, fresh: bool = False) -> Iterator[Callable[[], int]]:
        """See System."""
        from reconciler.resources.machine.enclosure import Enclosure  # noqa: PLC0415 - only runs of jobs are enclosed

        enclosure = Enclosure(name, self.clock)
        if not fresh:
            enclosure.end()
        self._enclosure, self._hearing = enclosure, hearing
        try:
            yield enclosure.end
        finally:
            self._enclosure, self._hearing = None, None
            enclosure.close()

    def entropy(self, count: int) -> bytes:
        """See System."""
        return os.urandom(count)


def _entry(found: os.stat_result, target: str = "") -> Entry:
    kinds = ((stat.S_ISREG, FILE), (stat.S_ISDIR, DIRECTORY), (stat.S_ISLNK, LINK))
    kind = next((name for test, name in kinds if test(found.st_mode)), OTHER)
    return Entry(kind, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_size, found.st_mtime, target)


def _read(descriptor: int, count: int, *, unlimited: bool) -> bytes:
    """Up to `count` bytes in one piece where that is possible; a file that grows meanwhile is read to its end."""
    pieces = [os.read(descriptor, count + 1 if unlimited else count)]
    while pieces[-1] and (unlimited or sum(map(len, pieces)) < count):
        pieces.append(os.read(descriptor, 1 << 20 if unlimited else count - sum(map(len, pieces))))
    return b"".join(pieces)


def _refuse_shared(found: os.stat_result, parent: int, path: str) -> None:
    """Refuse what is no file or directory, and a file with a second name that someone but root and us could have made.

    Whoever may write into a directory can put a second name of another user's file there (a hard link), so that we
    would give that file away.
    """
    if stat.S_ISDIR(found.st_mode):
        return
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise Failure("special-file", f"{path} is neither a file nor a directory nor a link", "Remove it by hand.")
    directory = os.fstat(parent)
    ours = directory.st_uid in {0, os.geteuid()} and not directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if found.st_nlink > 1 and not ours:
        hint = "Others can write into its directory, so its other name could be anyone's file. Remove one of the names."
        raise Failure("shared-file", f"{path} has another name as well (a hard link)", hint)


def _grant(descriptor: int, access: Access) -> None:
    found = os.fstat(descriptor)
    if (found.st_uid, found.st_gid) != (access.uid, access.gid):
        os.fchown(descriptor, access.uid, access.gid)
    os.fchmod(descriptor, access.mode)


def _discard(name: str, parent: int) -> None:
    """Remove a temporary of ours: a file, a link or an empty directory."""
    with suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=parent)
        except IsADirectoryError:
            os.rmdir(name, dir_fd=parent)


def _sync_directory(parent: int) -> None:
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
