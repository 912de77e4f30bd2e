"""What a run's programs cannot leave: everything they start is found again, however it detached itself, and ended.

Opened by `posix` around a run. A variable in the environment marks every descendant that does not wipe it; as root, on
a machine with the second version of control groups, a group of its own catches those as well.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Iterable, List, Mapping, Set

from reconciler.resources.machine.system import TERM_GRACE_SECONDS, Clock

MARK = "RECONCILER_RUN"
_GROUPS = "reconciler"
"""The group that holds those of all runs: at the top, so that whoever takes a run over finds it again."""
_POLL_SECONDS = 0.05


class Enclosure:
    """All processes of one run. `mark` is the run's name on this machine: letters and digits."""

    def __init__(self, mark: str, clock: Clock) -> None:
        self._mark = mark
        self._clock = clock
        self._group = _made_group(mark)
        self._empty = True
        """Nothing was started since the last look; a look reads something of every process of the machine."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What every program of the run carries."""
        return {MARK: self._mark}

    def take(self, pid: int) -> None:
        """Hold a program that was just started, before it starts others."""
        self._empty = False
        if self._group:
            with suppress(OSError):
                _write(self._group, "cgroup.procs", str(pid))

    def end(self) -> int:
        """End what is left, TERM first, KILL after the grace; how many processes there were."""
        found = self._members()
        self._empty, left = True, found
        for number, seconds in ((signal.SIGTERM, TERM_GRACE_SECONDS), (signal.SIGKILL, TERM_GRACE_SECONDS)):
            deadline = self._clock.monotonic() + seconds
            _signal(left, number)
            while left and self._clock.monotonic() < deadline:
                self._clock.sleep(_POLL_SECONDS)
                left = self._members()
                if number == signal.SIGKILL:
                    _signal(left, number)
        return len(found)

    def close(self) -> None:
        """End what is left, and the group."""
        if not self._empty:
            self.end()
        if self._group:
            with suppress(OSError):
                os.rmdir(self._group)

    def _members(self) -> Set[int]:
        return {*_marked(self._mark), *_in_group(self._group)}


def _made_group(mark: str) -> str:
    """The path of the run's control group; empty where there can be none."""
    hierarchy = _hierarchy() if os.geteuid() == 0 else ""
    path = os.path.join(hierarchy, _GROUPS, mark)
    try:
        if hierarchy:
            os.makedirs(path, mode=0o755, exist_ok=True)
            return path
    except OSError:
        pass
    return ""


def _hierarchy() -> str:
    """Where the control groups of the second version are; empty: nowhere."""
    with suppress(OSError), open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
        for line in file:
            _, place, kind, options = line.split()[:4]
            if kind == "cgroup2" and "rw" in options.split(","):
                return place
    return ""


def _in_group(group: str) -> List[int]:
    if not group:
        return []
    try:
        with open(os.path.join(group, "cgroup.procs"), encoding="ascii") as file:
            return [pid for pid in map(int, file.read().split()) if pid]
    except OSError:
        return []


def _marked(mark: str) -> List[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _carries(name, mark)]


def _carries(pid: str, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _write(group: str, name: str, text: str) -> None:
    descriptor = os.open(os.path.join(group, name), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
