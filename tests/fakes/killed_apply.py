"""A program that applies an app to sandboxes and is killed before the n-th system call that changes anything.

Run by the crash tests: DIRECTORY STRIDE. `never-killed` is applied in peace; for every STRIDE-th call a child applies
to `killed-N`, ends itself there with SIGKILL, and another child applies again. Syncing to disk is counted and left
out: a killed process loses nothing that the kernel has.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.clock import SystemClock
from reconciler.resources.machine.posix import PosixSystem
from tests.fakes.requests import request, run, wanted

CHANGING = ("rename", "unlink", "mkdir", "rmdir", "symlink", "write", "fchmod", "chown", "pwrite")
SYNCING = ("fsync", "fdatasync")


class Counter:
    """Counts the calls that change anything, and ends the process before one of them."""

    def __init__(self, kill_at: int) -> None:
        self.calls = 0
        self._kill_at = kill_at
        for name in CHANGING:
            setattr(os, name, self._counted(getattr(os, name)))
        for name in SYNCING:
            setattr(os, name, self._counted(lambda _: None))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call


def apply(root: Path, kill_at: int) -> int:
    """Apply two versions, so that the second changes, adds and removes; the number of calls through both."""
    root.mkdir(exist_ok=True)
    counter = Counter(kill_at)
    system = PosixSystem(str(root), clock=SystemClock())
    for version in (1, 2):
        files = [
            wanted("file", path=f"/etc/app/{version}/{index}", content=f"{version} {index}\n") for index in range(2)
        ]
        same = [wanted("file", path="/etc/same", content=str(version)), wanted("link", path="/l", target=str(version))]
        _, done = run(request(*files, *same, generation=version), system)
        assert done.status == "converged" or done.code == "stale-generation", done
    return counter.calls


def in_a_child(root: Path, kill_at: int = 0) -> int:
    """The exit code of a child that applies; -9 if it was killed."""
    child = os.fork()
    if child == 0:
        apply(root, kill_at)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(directory: Path, stride: int) -> None:
    """Apply once in peace and count, then once for every kill."""
    counted = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(counted[1], str(apply(directory / "never-killed", 0)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    calls = int(os.read(counted[0], 64))
    for number in range(1, calls + 1, stride):
        root = directory / f"killed-{number}"
        assert in_a_child(root, number) == -signal.SIGKILL, number
        assert in_a_child(root) == 0, number
    sys.stdout.write(str(calls))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
