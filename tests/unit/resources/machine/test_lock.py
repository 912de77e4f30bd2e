"""Two engines on one host never both write; what a dead one left running is ended. With real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.resources.failure import Failure
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Claim, Command
from tests.fakes.requests import request, run, wanted
from tests.waiting import until

HOLDER = """
import sys
from reconciler.clock import SystemClock
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Claim, Command
root, term, stubborn = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if stubborn == "stubborn":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
system = PosixSystem(root, clock=SystemClock())
with system.exclusive(Claim(term, 0, "fleet host web")):
    system.run(Command(("sh", "-c", "echo $$ > ready; exec sleep 1000"), timeout_seconds=1000))
"""

WRITER = """
import sys, os
from reconciler.clock import SystemClock
from reconciler.resources.failure import Failure
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Claim
system = PosixSystem(sys.argv[1], clock=SystemClock())
done = 0
while done < 40:
    try:
        with system.exclusive(Claim(0, 0, "race")):
            os.close(os.open(system.root + "/inside", os.O_CREAT | os.O_EXCL))
            os.unlink(system.root + "/inside")
            done += 1
    except Failure:
        continue
"""


def alive(pid: int) -> bool:
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


class Holder:
    """A process that holds the lock and runs a long program."""

    def __init__(self, root: Path, term: int, temper: str = "kind") -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(root), str(term), temper])
        until(lambda: (root / "ready").is_file() and (root / "ready").read_text().strip())
        self.program = int((root / "ready").read_text())

    def end(self) -> None:
        for pid in (self.process.pid, self.program):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def system(root: Path) -> PosixSystem:
    return PosixSystem(str(root), clock=SystemClock())


@pytest.fixture
def holder(root: Path) -> Iterator[Holder]:
    holder = Holder(root, term=5)
    yield holder
    holder.end()


def test_a_second_engine_is_told_who_holds_the_host_and_writes_nothing(
    holder: Holder, system: PosixSystem, root: Path
) -> None:
    events, done = run(request(wanted("file", path="/etc/a", content="a"), term=5), system)
    assert (events, done.status, done.code) == ([], "failed", "host-busy")
    assert done.error == f"process {holder.process.pid} (fleet host web) is applying here"
    assert not (root / "etc").exists()
    assert alive(holder.program)


def test_a_higher_term_ends_the_holder_and_its_program_then_takes_over(
    holder: Holder, system: PosixSystem, root: Path
) -> None:
    _, done = run(request(wanted("file", path="/etc/a", content="a"), term=6), system)
    assert done.status == "converged"
    assert not alive(holder.program)
    until(lambda: holder.process.poll() is not None)
    assert (root / "etc/a").read_text() == "a"


def test_a_killed_holders_program_is_ended_by_whoever_comes_next(holder: Holder, system: PosixSystem) -> None:
    holder.process.kill()
    holder.process.wait()
    assert alive(holder.program)
    _, done = run(request(term=0), system)
    assert done.status == "converged"
    until(lambda: not alive(holder.program))


def test_a_program_of_someone_else_with_the_same_number_is_left_alone(system: PosixSystem, root: Path) -> None:
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        with system.exclusive(Claim(0, 0, "first")):
            pass
        (root / "var/lib/reconciler/lock.group").write_text(f"{stranger.pid}\n")
        with system.exclusive(Claim(9, 9, "second")):
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_one_process_does_not_end_itself(system: PosixSystem) -> None:
    with (
        system.exclusive(Claim(1, 1, "first")),
        pytest.raises(Failure) as busy,
        system.exclusive(Claim(2, 2, "second")),
    ):
        pass
    assert busy.value.code == "host-busy"


def test_engines_in_several_processes_are_never_inside_together(root: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, "")


def test_a_programs_children_do_not_inherit_the_lock(system: PosixSystem, root: Path) -> None:
    with system.exclusive(Claim(0, 0, "first")):
        system.run(Command(("sh", "-c", "setsid sleep 1000 & echo $! > child")))
    child = int((root / "child").read_text())
    try:
        with system.exclusive(Claim(0, 0, "second")):
            assert alive(child), "a daemon that left its group lives on"
    finally:
        os.kill(child, signal.SIGKILL)
