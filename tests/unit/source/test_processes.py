"""Commands end with all their children, by themselves or by their time limit."""

import os
from pathlib import Path

import pytest

from reconciler.source.processes import TimedOut, run

ENVIRON = {"PATH": os.environ["PATH"]}


def shell(script: str, seconds: float = 20.0) -> tuple[int, bytes, str]:
    outcome = run(["sh", "-c", script], environ=ENVIRON, timeout_seconds=seconds)
    return outcome.code, outcome.output, outcome.last_line


def test_a_command_tells_how_it_ended() -> None:
    assert shell("echo out; echo one >&2; echo two >&2; echo >&2; exit 3") == (3, b"out\n", "two")
    assert shell("exit 4") == (4, b"", "exit code 4")


def test_a_command_cannot_wait_for_anyone_to_type() -> None:
    assert shell("cat; (cat </dev/tty) 2>/dev/null || echo no terminal")[1] == b"no terminal\n"


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(TimedOut):
            shell(f"(exec 3>{alive}; echo started >&3; sleep 30) & sleep 30", 1.0)
        os.set_blocking(reader, True)
        while os.read(reader, 100):
            pass  # ends only once nobody holds the other end
    finally:
        os.close(reader)
