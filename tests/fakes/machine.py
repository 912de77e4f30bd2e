"""A host to install an agent on, in memory. Implements the `Machine` port by hand, and can be cut off at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.resources.machine.system import Completed

SERVICE = "reconciler-agent.service"
ENROLLED_KEY = "ab" * 32


class CutOff(Exception):
    """The connection is gone."""


@dataclass
class FakeMachine:
    """Tests set its fields and read them again."""

    python: tuple[int, int, int] = (3, 11, 2)
    libc: str = "glibc 2.36"
    uid: int = 0
    systemd: bool = True
    free_bytes: int = 1 << 40
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What each program was last given."""
    enabled: bool = False
    started_with: bytes | None = None
    """The program and the settings that the running agent was started with; None: it does not run."""
    starts: int = 0
    applying: bool = False
    """Whether an apply is under way, and does not end."""
    complaints: dict[str, str] = field(default_factory=dict)
    """What stands in a command line -> what it then fails with."""
    steps_left: int | None = None
    """How many steps it lets us do before it is cut off; None: as many as we like."""

    def run(
        self, *argv: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", seconds: float = 300.0
    ) -> Completed:
        self._step()
        line = " ".join(argv)
        for part, complaint in self.complaints.items():
            if part in line:
                return Completed(1, "", complaint)
        if argv[-1] == "--check":
            self.environments["check"] = env or {}
        program = argv[0].rpartition("/")[2]
        act = getattr(self, f"_{program.partition('3')[0]}", None)
        return act(*argv[1:]) if act else Completed(127, "", f"there is no program {argv[0]}")

    def read(self, path: str) -> bytes | None:
        self._step()
        return self.files.get(path)

    def write(self, path: str, content: bytes, mode: int) -> None:
        self._step()
        self.files[path], self.modes[path] = content, mode

    def link(self, path: str, target: str) -> None:
        self._step()
        self.links[path] = target

    def names(self, directory: str) -> Sequence[str]:
        self._step()
        below = [path.removeprefix(f"{directory}/") for path in self.files if path.startswith(f"{directory}/")]
        return sorted({path.partition("/")[0] for path in below})

    def close(self) -> None:
        pass

    def paths(self) -> set[str]:
        """Everything that stands there."""
        return {*self.files, *self.links}

    def _step(self) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                raise CutOff
            self.steps_left -= 1

    # -- programs

    def _python(self, *words: str) -> Completed:
        if "pip" in words[1]:
            return Completed(0)
        told: dict[str, Any] = {
            "python": self.python,
            "executable": "/usr/bin/python3.11",
            "implementation": "cpython",
            "machine": "x86_64",
            "libc": self.libc,
            "uid": self.uid,
            "systemd": self.systemd,
            "free_bytes": self.free_bytes,
        }
        return Completed(0, json.dumps(told))

    def _reconcile(self, _: str, flag: str) -> Completed:
        return Completed(0, f"{ENROLLED_KEY}\n" if flag == "--public-key" else "")

    def _readlink(self, path: str) -> Completed:
        return Completed(0, f"{self.links[path]}\n") if path in self.links else Completed(1)

    def _ls(self, _: str, path: str) -> Completed:
        return Completed(0 if any(f"{it}/".startswith(f"{path}/") for it in self.paths()) else 2)

    def _rm(self, *words: str) -> Completed:
        for gone in (word for word in words if word.startswith("/")):
            for path in [path for path in self.paths() if f"{path}/".startswith(f"{gone}/")]:
                self.files.pop(path, None)
                self.links.pop(path, None)
        return Completed(0)

    def _install(self, *_: str) -> Completed:
        return Completed(0)

    def _rmdir(self, path: str) -> Completed:
        return Completed(1 if self.names(path) else 0)

    def _flock(self, *words: str) -> Completed:
        lock = next(at for at, word in enumerate(words) if word.startswith("/"))
        if self.applying and words[lock] == "/var/lib/reconciler/lock":
            return Completed(75)
        return self.run(*words[lock + 1 :])

    def _journalctl(self, *words: str) -> Completed:
        return Completed(0, "agent: no\n")

    def _systemctl(self, *words: str) -> Completed:
        match words:
            case ["is-enabled", *_]:
                return Completed(0 if self.enabled else 1)
            case ["is-active", *_]:
                return Completed(0 if self.started_with else 3)
            case ["cat", *_]:
                return Completed(0 if f"/etc/systemd/system/{SERVICE}" in self.files else 1)
            case ["enable", *_]:
                self.enabled = True
            case ["disable", *_]:
                self.enabled, self.started_with = False, None
            case ["restart", _]:
                self.starts += 1
                self.started_with = self.started_from
        return Completed(0)

    @property
    def started_from(self) -> bytes:
        """What a start takes as it stands there now."""
        return self.links["/opt/reconciler/current"].encode() + self.files["/etc/reconciler/agent.env"]
