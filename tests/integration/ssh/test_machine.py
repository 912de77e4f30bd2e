"""A whole host over SSH: programs, files and links, as enrolment asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.errors import Unavailable
from reconciler.transport.machine import SshMachine
from reconciler.transport.ssh import Connections
from tests.integration.ssh.conftest import Sshd, route


@pytest.fixture
def machine(sshd: Sshd, connections: Connections) -> Iterator[SshMachine]:
    with closing(connections.machine(route(sshd), "fleet")) as opened:
        yield opened


def test_a_program_is_run_to_its_end_with_what_it_is_given(machine: SshMachine) -> None:
    ended = machine.run("sh", "-c", 'cat; echo "$WORD" >&2; exit 3', env={"WORD": "said"}, stdin=b"given")
    assert (ended.code, ended.stdout, ended.stderr) == (3, "given", "said\n")


def test_a_program_that_does_not_exist_ends_as_in_a_shell(machine: SshMachine) -> None:
    assert machine.run("no-such-program").code == 127


def test_a_program_that_takes_too_long_is_ended(machine: SshMachine) -> None:
    assert machine.run("sleep", "60", seconds=0.1).timed_out


def test_files_of_any_bytes_arrive_whole_and_with_their_mode(machine: SshMachine, tmp_path: Path) -> None:
    content = bytes(range(256)) * 16_000
    target = tmp_path / "deep/down/file"
    machine.write(str(target), content, 0o600)
    assert target.read_bytes() == content == machine.read(str(target))
    assert target.stat().st_mode & 0o777 == 0o600
    assert machine.names(str(tmp_path / "deep")) == ("down",)


def test_what_is_not_there_reads_as_nothing(machine: SshMachine, tmp_path: Path) -> None:
    assert machine.read(str(tmp_path / "nothing")) is None
    assert machine.names(str(tmp_path / "nothing")) == ()


def test_a_link_is_put_in_place_of_another(machine: SshMachine, tmp_path: Path) -> None:
    for target in ("versions/1", "versions/2"):
        machine.link(str(tmp_path / "current"), target)
    assert str((tmp_path / "current").readlink()) == "versions/2"


def test_what_cannot_be_written_is_told_with_its_path(machine: SshMachine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=f"web-1: file in {tmp_path}/file is not a directory"):
        machine.write(str(tmp_path / "file/below"), b"", 0o644)


def test_the_connection_serves_for_one_errand_after_another(sshd: Sshd, machine: SshMachine) -> None:
    for number in range(3):
        assert machine.run("echo", str(number)).stdout == f"{number}\n"
    assert len(sshd.sessions()) == 1
