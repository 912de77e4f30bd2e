"""The right to write on a host: an exclusive flock beside the ledger, held for a whole apply.

Taken by `posix` for the engine. The lock's file names its holder; the witness file names the process group of the
program that the holder runs. Whoever comes next ends what a dead holder left running; with a higher (term, token)
it also ends a holder that is alive.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import TERM_GRACE_SECONDS, Claim, Clock

MARK = "RECONCILER_HOLDER"
"""Environment variable that every program of a holder carries, so that a number used again is not mistaken."""

_POLL_SECONDS = 0.05


class Lock:
    """The flock as a context; `Failure` host-busy where someone else has it and may keep it."""

    def __init__(self, directory: str, claim: Claim, clock: Clock) -> None:
        self._directory = directory
        self._claim = claim
        self._clock = clock
        self._lock = -1
        self._witness = -1
        pid = os.getpid()
        self.mark = f"{pid}.{_started(pid)}"

    def __enter__(self) -> "Lock":
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._lock = os.open(os.path.join(self._directory, "lock"), flags, 0o600)
        try:
            if not self._try():
                self._take_from(_holder(self._lock))
            self._witness = os.open(os.path.join(self._directory, "lock.group"), flags | os.O_APPEND, 0o600)
            before = _holder(self._lock)
            end_group(_group(self._witness), str(before.get("mark", "")), self._clock)
            self.forget_group()
            self._name_holder()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._close()

    def name_group(self, group: int) -> None:
        """A program of this group is about to run."""
        os.write(self._witness, f"{group}\n".encode())

    def forget_group(self) -> None:
        """The program ended; its group's number may be used again."""
        os.ftruncate(self._witness, 0)

    def _close(self) -> None:
        for descriptor in (self._witness, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._witness = self._lock = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _name_holder(self) -> None:
        claim = {"term": self._claim.term, "token": self._claim.token, "purpose": self._claim.purpose}
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, json.dumps({**claim, "pid": os.getpid(), "mark": self.mark}).encode(), 0)

    def _take_from(self, holder: Mapping[str, Any]) -> None:
        """End a holder of a lower (term, token), first kindly; its journal makes that safe at any moment."""
        pid, mark = int(holder.get("pid", 0)), str(holder.get("mark", ""))
        ours, theirs = (self._claim.term, self._claim.token), (holder.get("term", 0), holder.get("token", 0))
        if not pid or pid == os.getpid() or ours <= theirs or mark != f"{pid}.{_started(pid)}":
            if self._wait(_POLL_SECONDS):
                return
            raise _busy(holder)
        import signal  # noqa: PLC0415 - slow to load, and few find the host busy

        for number in (signal.SIGTERM, signal.SIGKILL):
            end_group(_group_of(self._directory), mark, self._clock)
            if mark == f"{pid}.{_started(pid)}":
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            if self._wait(TERM_GRACE_SECONDS):
                return
        raise _busy(holder)

    def _wait(self, seconds: float) -> bool:
        deadline = self._clock.monotonic() + seconds
        while not self._try():
            if self._clock.monotonic() >= deadline:
                return False
            self._clock.sleep(_POLL_SECONDS)
        return True


def _busy(holder: Mapping[str, Any]) -> Failure:
    who = f"process {holder['pid']} ({holder.get('purpose', '')})" if holder.get("pid") else "another process"
    return Failure("host-busy", f"{who} is applying here", "Wait for it, or end it: nothing half-done stays behind.")


def end_group(group: int, mark: str, clock: Clock) -> None:
    """End a process group, but only if its members carry the mark; TERM, then KILL after the grace."""
    if not _members(group, mark):
        return
    import signal  # noqa: PLC0415 - as above

    for number, seconds in ((signal.SIGTERM, TERM_GRACE_SECONDS), (signal.SIGKILL, TERM_GRACE_SECONDS)):
        if not _members(group, mark):
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        deadline = clock.monotonic() + seconds
        while _members(group, mark) and clock.monotonic() < deadline:
            clock.sleep(_POLL_SECONDS)


def _members(group: int, mark: str) -> List[int]:
    if group <= 1 or not mark or group == os.getpgrp():
        return []
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if _stat(pid).get("group") == group and _carries(pid, mark)]


def _carries(pid: int, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def _started(pid: int) -> int:
    """When a process started, in clock ticks since boot (proc(5)); 0 if there is none, also for a zombie."""
    return _stat(pid).get("started", 0)


def _stat(pid: int) -> Dict[str, int]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return {}
    return {} if fields[0] == b"Z" else {"group": int(fields[2]), "started": int(fields[19])}


def _holder(lock: int) -> Mapping[str, Any]:
    try:
        holder = json.loads(os.pread(lock, 4096, 0))
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _group(witness: int) -> int:
    lines = os.pread(witness, 4096, 0).split()
    return int(lines[-1]) if lines and lines[-1].isdigit() else 0


def _group_of(directory: str) -> int:
    try:
        descriptor = os.open(os.path.join(directory, "lock.group"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return _group(descriptor)
    finally:
        os.close(descriptor)
