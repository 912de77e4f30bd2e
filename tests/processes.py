"""`reconcile` beside a test. What it says goes into a file, so that it never waits for who reads it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.forks import Fork
from tests.waiting import PATIENCE_SECONDS, until

RECONCILE = [sys.executable, "-c", "from reconciler.cli import entry; entry()"]


class Process(Protocol):
    """As `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...


class Beside:
    """A process that runs beside the test that started it."""

    def __init__(self, process: Process, words: int) -> None:
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
def beside(words: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Beside]:
    """Run `reconcile WORDS` beside the block; it is killed after it, and what it said stands in the block's failure."""
    with tempfile.NamedTemporaryFile() as said:
        made = Beside(Fork(words, cwd, environment, Path(said.name)), said.fileno())
        with _until_the_end(made, words):
            yield made


@contextmanager
def started(words: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Beside]:
    """The same with a process that loads itself, for tests of what that is like."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*RECONCILE, *words],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        made = Beside(process, said.fileno())
        with _until_the_end(made, words):
            yield made


@contextmanager
def _until_the_end(made: Beside, words: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except (AssertionError, subprocess.TimeoutExpired) as error:
        error.add_note(f"{' '.join(words)} said:\n{made.told()}")
        raise
    finally:
        made.dies()
