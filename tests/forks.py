"""`reconcile` as a process of its own, forked from one that has loaded all of it: most of a start is loading.

Whoever asks what a start loads or how large it is starts one with `tests/processes.py` instead.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.loaded"])


class Fork:
    """As much of `subprocess.Popen` as `tests/processes.py` needs."""

    def __init__(self, words: Sequence[str], cwd: Path, environment: Mapping[str, str], output: Path) -> None:
        self._process = _FORKS.Process(target=_reconcile, args=(list(words), cwd, dict(environment), output))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("reconcile", timeout or 0)
        return code


def _reconcile(words: list[str], cwd: Path, environment: dict[str, str], output: Path) -> None:
    """Become what a shell would have started; does not return."""
    from reconciler.cli import entry

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    nothing, said = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_APPEND)
    for ours, theirs in {0: nothing, 1: said, 2: said}.items():
        os.dup2(theirs, ours)
    sys.argv = ["reconcile", *words]
    entry()
