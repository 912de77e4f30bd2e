"""A process beside a test. What it says goes into a file, so that it never waits for who reads it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE_SECONDS, until


class Beside:
    """A process that runs beside the test that started it."""

    def __init__(self, process: subprocess.Popen[bytes], words: int) -> None:
        self._process = process
        self._words = words
        self._heard = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def told(self) -> str:
        """All that it has said until now, standard output and standard error."""
        return os.pread(self._words, os.fstat(self._words).st_size, 0).decode(errors="replace")

    def says(self, words: str) -> str:
        """Wait for the next whole line with these words, and return it; those before it are passed over."""
        found: list[str] = []

        def said() -> bool:
            running = self.running
            while (end := self.told().find("\n", self._heard) + 1) and not found:
                line, self._heard = self.told()[self._heard : end], end
                found.extend([line] if words in line else [])
            return bool(found) or not running

        until(said, f"{words!r} in what it says")
        assert found, f"it ended and did not say {words!r}"
        return found[0]

    def unheard(self) -> str:
        """What it said after the line that was waited for last."""
        return self.told()[self._heard :]

    def sends(self, number: signal.Signals) -> None:
        """Someone signals it."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def dies(self) -> None:
        """As by a power cut."""
        self._process.kill()
        self._process.wait()


@contextmanager
def beside(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Beside]:
    """Run a command beside the block; it is killed after it, and what it said stands in the failure of the block."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT
        )
        made = Beside(process, words.fileno())
        try:
            yield made
        except (AssertionError, subprocess.TimeoutExpired) as error:
            error.add_note(f"{' '.join(command[-3:])} said:\n{made.told()}")
            raise
        finally:
            made.dies()
