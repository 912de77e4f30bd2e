"""Running a command with a time limit that holds for its children too. Called by git and the secrets' command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.resources.values import dataclass


class TimedOut(Exception):
    """The command was ended because it took too long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    output: bytes
    errors: str

    @property
    def last_line(self) -> str:
        """The last line on standard error that says something."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}"


class Running:
    """A command in a session of its own: it cannot ask on the terminal, and ends with all its children."""

    def __init__(self, argv: Sequence[str], *, directory: Path | None, environ: Mapping[str, str]) -> None:
        """Start it; OSError where there is no such program."""
        self._process = subprocess.Popen(
            list(argv),
            cwd=directory,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def outcome(self, timeout_seconds: float) -> Outcome:
        """Wait for the end.

        Raises:
            TimedOut: it took longer, and was killed.
        """
        with self._process as process:
            try:
                output, errors = process.communicate(timeout=timeout_seconds)
            except subprocess.TimeoutExpired:
                raise TimedOut from None
            finally:
                self._end()
        return Outcome(process.returncode, output, errors.decode(errors="replace"))

    def _end(self) -> None:
        """End what is left of the session; the leader's id is ours until it is waited for."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def run(
    argv: Sequence[str], *, directory: Path | None = None, environ: Mapping[str, str], timeout_seconds: float
) -> Outcome:
    """Run a command to its end; see Running."""
    return Running(argv, directory=directory, environ=environ).outcome(timeout_seconds)
