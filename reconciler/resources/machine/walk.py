"""The way to a directory, one component at a time, so that nobody can lead us elsewhere.

Called by `posix`. Every component is opened relative to the one before it and never through a link, unless the
link belongs to root or to us; links are then read as if the root were `/`, so no path ever leaves the root.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import Iterator, List

from reconciler.resources.failure import Failure
from reconciler.resources.machine.places import PARENT_MODE

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = 40
"""As many links as Linux itself follows on one path."""


@contextmanager
def open_directory(root: str, path: str) -> Iterator[int]:
    """A descriptor (O_PATH) of the directory `path` below `root`; it is closed at the end.

    Raises:
        Failure: `untrusted-link`, where a component is a link that neither root nor we made.
        OSError: it does not exist, or is no directory.
    """
    way = [os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        _descend(way, path)
        yield way[-1]
    finally:
        for descriptor in way:
            os.close(descriptor)


def _descend(way: List[int], path: str) -> None:
    pending = path.split("/")[::-1]
    links = 0
    while pending:
        part = pending.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if len(way) > 1:
                os.close(way.pop())
            continue
        try:
            way.append(os.open(part, _DIRECTORY, dir_fd=way[-1]))
        except NotADirectoryError:
            target = _trusted_target(way[-1], part, path)
            links += 1
            if links > _LINKS:
                raise Failure("untrusted-link", f"{path} goes through more than {_LINKS} links") from None
            if target.startswith("/"):
                _return_to_root(way)
            pending.extend(target.split("/")[::-1])


def _return_to_root(way: List[int]) -> None:
    while len(way) > 1:
        os.close(way.pop())


def _trusted_target(parent: int, name: str, path: str) -> str:
    """Where a link leads, read from the very link whose owner was looked at."""
    link = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        found = os.fstat(link)
        if not stat.S_ISLNK(found.st_mode):
            raise Failure("not-a-directory", f"{name} in {path} is not a directory")
        if found.st_uid not in {0, os.geteuid()}:
            raise Failure(
                "untrusted-link",
                f"{name} in {path} is a link that user {found.st_uid} made",
                "Only links made by root are followed. Remove it or give it to root.",
            )
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def made_state(directory: str, place: str) -> str:
    """The ledger's directory, or a place in it, with what leads there; modes that the umask can only narrow."""
    above, missing = os.path.dirname(directory), []
    while not os.path.lexists(above):
        missing.append((above, PARENT_MODE))
        above = os.path.dirname(above)
    own = [directory]
    for name in filter(None, place.split("/")):
        own.append(os.path.join(own[-1], name))
    for path, mode in [*reversed(missing), *((path, 0o700) for path in own)]:
        with suppress(FileExistsError):
            os.mkdir(path, mode)
    return own[-1]
