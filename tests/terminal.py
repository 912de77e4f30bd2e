"""A process on a terminal of its own, for tests of what people see."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE_SECONDS, until


class Terminal:
    """What a process draws, kept from its first byte on, and what a person may do to it."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self._process = process
        self._ours = ours
        self._drawn = b""

    def screen(self) -> str:
        """Everything drawn so far, also by a process that has ended."""
        while select.select([self._ours], [], [], 0)[0]:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # EIO: nobody holds its other end any more
                break
            if not piece:
                break
            self._drawn += piece
        return self._drawn.decode(errors="replace")

    def shows(self, words: str) -> None:
        """Wait until these words were drawn."""
        try:
            until(lambda: words in self.screen(), f"{words!r} on the terminal")
        except AssertionError as error:
            error.add_note(self.screen()[-3000:])
            raise

    def types(self, line: str) -> None:
        """A person types a line."""
        os.write(self._ours, f"{line}\n".encode())

    def interrupts(self) -> None:
        """A person presses Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def exit_code(self) -> int:
        """Wait for its end, reading on so that it never blocks on what it draws."""
        until(lambda: (self.screen(), self._process.poll())[1] is not None, "the end of the process")
        return self._process.wait(PATIENCE_SECONDS)


@contextmanager
def on_terminal(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command on a terminal; it is killed after the block."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, **environment, "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
