"""The executors as operating system processes: one that ends, however it ended, has a successor at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


class Executors:
    """So many executors at any time.

    Args:
        root: the repository of the fleet.
        url: of Redis, through the proxy.
        count: how many.
        lease_seconds: how long work is theirs without a renewal.
    """

    def __init__(self, root: Path, url: str, count: int, lease_seconds: float) -> None:
        self._root = root
        self._url = url
        self._lease_seconds = lease_seconds
        self.refused = root / "refused"
        """A line for each stale write that Redis refused."""
        self.ended = 0
        """How many ended other than by our hand."""
        self._killed: set[int] = set()
        self._stopped: set[int] = set()
        self._processes = [self._begun(place) for place in range(count)]

    def mend(self) -> None:
        """Start a successor for each that ended."""
        for place, process in enumerate(self._processes):
            if process.poll() is None:
                continue
            self.ended += process.pid not in self._killed
            self._processes[place] = self._begun(place)

    def kill(self, place: int) -> None:
        """End one as `kill -9` does."""
        process = self._processes[place]
        self._killed.add(process.pid)
        process.kill()

    def stop(self, place: int) -> int:
        """Stop one where it is; which process that was."""
        process = self._processes[place]
        process.send_signal(signal.SIGSTOP)
        return process.pid

    def resume(self, pid: int) -> None:
        """Let one go on that was stopped, if it is still there."""
        for process in self._processes:
            if process.pid == pid and process.poll() is None:
                process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End all of them, kindly where that works."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _begun(self, place: int) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "RECONCILER_REDIS_URL": self._url,
            "RECONCILER_CACHE_DIR": str(self._root / "cache"),
            "RECONCILER_HOLDER": f"executor-{place}",
            "RECONCILER_LEASE": f"{self._lease_seconds:g}",
        }
        command = [sys.executable, "-m", "tests.chaos.executor", str(self._root), str(self.refused)]
        with (self._root / f"executor-{place}.log").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
