"""What can be made again at any time, kept on disk from one command to the next, and the version of the code it is of.

Called by who parses manifests and who judges them; what is kept, and how it is written down, is theirs.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOMS = (
    "alerting",
    "loops/controlling",
    "manifests",
    "model",
    "notify",
    "planner",
    "rendering",
    "resources",
    "scheduling",
    "trust",
)
"""All that has a say in what manifests mean and whether they are right."""


class Shelf:
    """Pieces of bytes by name, in a directory that is made with mode 0700. One that is not ours alone is not used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> bytes | None:
        """The piece of that name, unless there is none of ours."""
        if not self._ours():
            return None
        try:
            with (self._directory / name).open("rb") as file:
                return file.read() if os.fstat(file.fileno()).st_uid == os.geteuid() else None
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Keep a piece, in one step. A full or forbidden disk costs what would have been kept, not the command."""
        if not self._ours(make=True):
            return
        beside = f".{name}.{os.getpid()}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with os.fdopen(os.open(self._directory / beside, flags, 0o600), "wb") as file:
                file.write(content)
            (self._directory / beside).replace(self._directory / name)
        except OSError:
            self.remove(beside)

    def names(self) -> list[str]:
        """Names of all pieces, the oldest first."""
        if not self._ours():
            return []
        found = []
        with contextlib.suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process has removed it, or given it its name
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
        return [name for _, name in sorted(found) if not name.startswith(".")]

    def remove(self, name: str) -> None:
        """Keep a piece no longer."""
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()

    def _ours(self, *, make: bool = False) -> bool:
        try:
            if make:
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = self._directory.lstat()
        except OSError:
            return False
        private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o022
        return private and status.st_uid == os.geteuid()


@cache
def code_version() -> str:
    """A hash of the sources that read and judge manifests, and of the Python and the libraries that they run with."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which the process that only parses does without

    found = hashlib.blake2b("\0".join([sys.version, *sorted(_libraries())]).encode(), digest_size=8)
    package = os.path.dirname(__file__)  # noqa: PTH120 - hundreds of files, at each start: Path takes three times as long
    for room in _ROOMS:
        for source in sorted(_sources(f"{package}/{room}")):
            with open(source, "rb", buffering=0) as file:  # noqa: PTH123
                found.update(source.removeprefix(package).encode() + b"\0" + file.read())
    return found.hexdigest()


def _libraries() -> Iterator[str]:
    """Names of what pip wrote of each library, which hold its version."""
    for directory in sys.path:
        with contextlib.suppress(OSError):
            yield from [name for name in os.listdir(directory) if name.endswith(".dist-info")]  # noqa: PTH208


def _sources(directory: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path
