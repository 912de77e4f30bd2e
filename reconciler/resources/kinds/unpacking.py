"""What is in a tar or zip file, and what may be unpacked of it: nothing that leads out of the target directory.

Used by `archive`. Reads only; bounded in number and size, since an archive is somebody else's work.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import lzma
import posixpath
import stat
import tarfile
import zipfile
import zlib
from typing import IO, BinaryIO, Callable, Dict, Iterable, Iterator, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import DIRECTORY, FILE, LINK
from reconciler.resources.values import dataclass

MAX_ARCHIVE_BYTES = 1 << 30
MAX_UNPACKED_BYTES = 2 << 30
MAX_FILE_BYTES = 256 << 20
"""A file passes through memory in one piece."""
MAX_MEMBERS = 20_000
_PIECE_BYTES = 1 << 20
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What the readers of archives raise for files that are damaged, encrypted, or of an unknown compression."""


@dataclass(frozen=True)
class Member:
    """Something to unpack."""

    kind: str
    mode: int
    size: int = 0
    sha256: str = ""
    """Of a file's content."""
    target: str = ""
    """Where a link points."""


_Read = Callable[[], IO[bytes]]
_Raw = Tuple[str, Member, Optional[_Read]]


def listing(file: BinaryIO, strip: int) -> Dict[str, Member]:
    """All that would be unpacked, by its path below the target, directories on the way included; sorted.

    Raises:
        Failure: `bad-archive`, `unsafe-archive` or `archive-too-large`.
    """
    found: Dict[str, Member] = {}
    total = 0
    for path, member, read in _checked(file, strip):
        total += member.size
        if len(found) > MAX_MEMBERS or total > MAX_UNPACKED_BYTES or member.size > MAX_FILE_BYTES:
            raise Failure("archive-too-large", f"the archive holds too much, at {path}", _LIMITS)
        found[path] = _hashed(member, read) if read else member
    for path in list(found):
        for parent in _parents(path):
            known = found.setdefault(parent, Member(DIRECTORY, 0o755))
            if known.kind != DIRECTORY:
                raise _unsafe(path, f"it leads through {parent}, which is a {known.kind}")
    return dict(sorted(found.items()))


def contents(file: BinaryIO, strip: int) -> Iterator[Tuple[str, Callable[[], bytes]]]:
    """The files, by path, each with a way to read it; of two with one path the last counts."""
    for path, _, read in _checked(file, strip):
        if read is not None:
            yield path, functools.partial(_whole, read)


def sha256_of(file: BinaryIO) -> str:
    """The checksum of a file from its beginning; it then stands at its beginning again."""
    found = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        found.update(piece)
    file.seek(0)
    return found.hexdigest()


_LIMITS = (
    f"At most {MAX_MEMBERS} things of {MAX_UNPACKED_BYTES >> 30} GiB in all and {MAX_FILE_BYTES >> 20} MiB each; "
    "larger ones are for a package, or a command."
)


def _whole(read: _Read) -> bytes:
    try:
        with read() as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except _BROKEN as error:
        raise _bad(error) from error


def _hashed(member: Member, read: _Read) -> Member:
    found, size = hashlib.sha256(), 0
    try:
        with read() as opened:
            while piece := opened.read(_PIECE_BYTES):
                found.update(piece)
                size += len(piece)
                if size > MAX_FILE_BYTES:
                    raise Failure("archive-too-large", "a file of the archive is too large", _LIMITS)
    except _BROKEN as error:
        raise _bad(error) from error
    return Member(FILE, member.mode, size, found.hexdigest())


def _checked(file: BinaryIO, strip: int) -> Iterator[_Raw]:
    """The members under the paths that they get; links are known to stay inside."""
    file.seek(0)
    try:
        with contextlib.ExitStack() as opened:
            if zipfile.is_zipfile(file):
                raw: Iterable[_Raw] = _zip(opened.enter_context(zipfile.ZipFile(file)))
            else:
                file.seek(0)
                raw = _tar(opened.enter_context(tarfile.open(fileobj=file, mode="r:*")))
            for name, member, read in raw:
                parts = _parts(name)[strip:]
                if parts:
                    _check_link("/".join(parts), member)
                    yield "/".join(parts), member, read
    except _BROKEN as error:
        raise _bad(error) from error


def _tar(archive: tarfile.TarFile) -> Iterator[_Raw]:
    for info in archive:
        mode = info.mode & 0o777
        if info.isdir():
            yield info.name, _directory(mode), None
        elif info.issym():
            yield info.name, Member(LINK, 0o777, target=info.linkname), None
        elif info.isreg() or info.islnk():
            yield info.name, _file(mode, info.size), functools.partial(_extracted, archive, info)
        else:
            raise _unsafe(info.name, "it is neither a file nor a directory nor a link")


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(info)
    if found is None:
        raise tarfile.ReadError("a hard link leads to something that is no file")
    return found


def _zip(archive: zipfile.ZipFile) -> Iterator[_Raw]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if info.is_dir():
            yield info.filename, _directory(mode & 0o777 or 0o755), None
        elif stat.S_ISLNK(mode):
            target = archive.read(info).decode()
            yield info.filename, Member(LINK, 0o777, target=target), None
        elif stat.S_IFMT(mode) in {0, stat.S_IFREG}:
            yield info.filename, _file(mode & 0o777 or 0o644, info.file_size), functools.partial(archive.open, info)
        else:
            raise _unsafe(info.filename, "it is neither a file nor a directory nor a link")


def _file(mode: int, size: int) -> Member:
    """Nobody but the owner writes, and nothing runs as somebody else."""
    return Member(FILE, mode & 0o755 | 0o600, size)


def _directory(mode: int) -> Member:
    return Member(DIRECTORY, mode & 0o755 | 0o700)


def _parts(name: str) -> "list[str]":
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _unsafe(ascii(name), "its name is no UTF-8") from None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts:
        raise _unsafe(name, "it leads out of the target directory")
    return parts


def _check_link(path: str, member: Member) -> None:
    """A link may go up within the target and then down; `..` behind a name could go up from somewhere else."""
    if member.kind != LINK:
        return
    parts = [part for part in member.target.split("/") if part not in {"", "."}]
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    if member.target.startswith("/") or ".." in parts[up:] or up > path.count("/") or not member.target:
        raise _unsafe(path, f"it is a link to {member.target}, out of the target directory")
    _parts("/".join(parts[up:]))


def _parents(path: str) -> Iterator[str]:
    while parent := posixpath.dirname(path):
        yield parent
        path = parent


def _unsafe(name: str, why: str) -> Failure:
    return Failure("unsafe-archive", f"the archive holds {name}: {why}", "Nothing was unpacked.")


def _bad(error: Exception) -> Failure:
    return Failure("bad-archive", f"the archive cannot be read: {error or type(error).__name__}", "tar and zip can.")
