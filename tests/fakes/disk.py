"""A disk in memory: the part of a fake host that holds directories, files and links, and counts every change."""

from __future__ import annotations

import io
import posixpath
from dataclasses import replace

from reconciler.resources.machine.system import Access, Entry
from tests.fakes.clock import FakeClock


class Killed(BaseException):
    """The engine is gone, between two changes of the host."""


class FakeDisk:
    """One file system in memory. Tests set its fields and read them again."""

    def __init__(self) -> None:
        self.state = "/var/lib/reconciler"
        self.clock = FakeClock()
        self.entries: dict[str, Entry] = {}
        self.contents: dict[str, bytes] = {}
        self.steps = 0
        self.kill_at = 0
        """The number of the change before which the engine is killed; 0: never."""

    # -- for tests

    def file(self, path: str, text: str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """Put a file there, with its parents."""
        parent = posixpath.dirname(path)
        missing = []
        while parent not in {"/", *self.entries}:
            missing.append(parent)
            parent = posixpath.dirname(parent)
        for each in reversed(missing):
            self.mkdir(each, Access(0, 0, 0o755))
        self.write_atomic(path, text.encode(), Access(uid, gid, mode))

    def text(self, path: str) -> str | None:
        """A file's text, or None."""
        return self.contents[path].decode() if path in self.contents else None

    def tree(self, *, below: str = "/", ours: bool = False) -> dict[str, object]:
        """Everything that stands on the host, in a form to compare; our own state only when asked for."""
        chosen = {path: entry for path, entry in self.entries.items() if ours or not path.startswith(self.state)}
        return {
            path: (entry.kind, oct(entry.mode), entry.uid, entry.gid, entry.target, self.contents.get(path))
            for path, entry in sorted(chosen.items())
            if path.startswith(below)
        }

    # -- looking

    def look(self, path: str) -> Entry | None:
        return self.entries.get(path)

    def read(self, path: str, limit: int | None = None) -> tuple[Entry, bytes] | None:
        entry = self.entries.get(path)
        if entry is None or entry.kind != "file":
            return None
        return entry, self.contents[path][:limit]

    def open(self, path: str) -> io.BytesIO:
        found = self.read(path)
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return io.BytesIO(found[1])

    def listdir(self, path: str) -> list[str]:
        lead = path.rstrip("/") + "/"
        return sorted({each[len(lead) :].split("/")[0] for each in self.entries if each.startswith(lead)})

    # -- acting

    def write_atomic(self, path: str, content: bytes, access: Access, validate: tuple[str, ...] = ()) -> None:
        self._parent(path)
        self._validate(path, validate)
        self._step()
        self.contents[path] = content
        moment = self.clock.now().timestamp()
        self.entries[path] = Entry("file", access.mode, access.uid, access.gid, len(content), moment)

    def append(self, path: str, content: bytes) -> None:
        known = self.contents.get(path, b"")
        self.write_atomic(path, known + content, Access(0, 0, 0o600))

    def symlink(self, path: str, target: str) -> None:
        self._parent(path)
        self._step()
        self.contents.pop(path, None)
        self.entries[path] = Entry("link", 0o777, 0, 0, target=target)

    def mkdir(self, path: str, access: Access) -> None:
        self._parent(path)
        if path in self.entries:
            raise FileExistsError(17, "File exists", path)
        self._step()
        self.entries[path] = Entry("directory", access.mode, access.uid, access.gid)

    def grant(self, path: str, access: Access) -> None:
        self._step()
        self.entries[path] = replace(self.entries[path], uid=access.uid, gid=access.gid, mode=access.mode)

    def grant_link(self, path: str, uid: int, gid: int) -> None:
        self._step()
        self.entries[path] = replace(self.entries[path], uid=uid, gid=gid)

    def rename(self, old: str, new: str) -> None:
        self._step()
        self.entries[new] = self.entries.pop(old)
        self.contents[new] = self.contents.pop(old)

    def remove(self, path: str) -> None:
        if path not in self.entries:
            raise FileNotFoundError(2, "No such file or directory", path)
        if self.entries[path].kind == "directory" and self.listdir(path):
            raise OSError(39, "Directory not empty", path)
        self._step()
        del self.entries[path]
        self.contents.pop(path, None)

    def sweep(self, path: str) -> None:
        """A write in memory leaves nothing behind."""

    def _validate(self, path: str, program: tuple[str, ...]) -> None:
        """Have a program look at the new content; a disk has none."""

    def _ensure(self, path: str) -> None:
        parts = path.strip("/").split("/")
        for index in range(len(parts)):
            each = "/" + "/".join(parts[: index + 1])
            if each not in self.entries:
                self.mkdir(each, Access(0, 0, 0o755))

    def _parent(self, path: str) -> None:
        parent = posixpath.dirname(path)
        if parent != "/" and parent not in self.entries:
            raise FileNotFoundError(2, "No such file or directory", path)

    def _step(self) -> None:
        """Every change of the host passes here; crash tests count and interrupt."""
        self.steps += 1
        self.clock.seconds += 1
        if self.steps == self.kill_at:
            raise Killed
