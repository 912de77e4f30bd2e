"""The far end of a channel, spoken to through pipes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.resources.channel.framing import MARKER, Unpacker, pack
from reconciler.resources.channel.remote import Server
from reconciler.resources.protocol import Finished, event_from_json
from reconciler.resources.records.ledger import ledger_from_json
from reconciler.transport.shipment import NO_PYTHON, NO_SUDO, command, shipment
from tests.fakes.requests import request, wanted


class FarEnd:
    """A server in a thread, and the two pipes to it."""

    def __init__(self, silence_seconds: float) -> None:
        reading, self.asking = os.pipe()
        self.hearing, writing = os.pipe()
        self._unpacker = Unpacker()
        self._arrived: list[dict[str, Any]] = []
        self._ours = [self.asking, self.hearing]
        self._theirs = [reading, writing]
        server = Server(reading, writing, SystemClock(), silence_seconds)
        self.thread = threading.Thread(target=server.run)
        self.thread.start()
        assert os.read(self.hearing, len(MARKER)) == MARKER

    def ask(self, **question: Any) -> list[dict[str, Any]]:
        """The answers up to the last of them."""
        os.write(self.asking, pack(question))
        answers: list[dict[str, Any]] = []
        while not answers or not {"end", "failure", "pong"} & answers[-1].keys():
            answers += self._unpacker.feed(os.read(self.hearing, 65536))
        return answers

    def hang_up(self) -> None:
        for descriptor in self._ours:
            os.close(descriptor)
        self._ours = []

    def close(self) -> None:
        self.hang_up()
        self.thread.join()
        for descriptor in self._theirs:
            os.close(descriptor)


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    end = FarEnd(60.0)
    yield end
    end.close()


def test_a_host_tells_its_facts_and_its_ledger(far_end: FarEnd, tmp_path: Path) -> None:
    greeting, end = far_end.ask(do="greet", fleet="fleet", host="host", root=str(tmp_path))
    assert greeting["facts"]["kernel"] == os.uname().release
    assert ledger_from_json(greeting["ledger"]).apps == {}
    assert end == {"end": True}


def test_an_app_is_applied_in_one_question_whose_events_come_back(far_end: FarEnd, tmp_path: Path) -> None:
    wish = asdict(request(wanted("file", path="/etc/a", content="a"), wanted("file", path="/etc/b", content="b")))
    where = {"fleet": "fleet", "host": "host", "root": str(tmp_path)}
    *events, _ = far_end.ask(do="apply", request=wish, **where)
    *_, done = map(event_from_json, events)
    assert isinstance(done, Finished)
    assert (done.status, done.changed) == ("converged", 2)
    assert (tmp_path / "etc/a").read_text() == "a"
    *events, _ = far_end.ask(do="inspect", request=wish, **where)
    assert [event["event"] for event in events] == ["resource", "resource", "finished"]


def test_pauses_are_remembered(far_end: FarEnd, tmp_path: Path) -> None:
    where = {"fleet": "fleet", "host": "host", "root": str(tmp_path)}
    assert far_end.ask(do="pause", app="*", reason="moving", **where) == [{"end": True}]
    assert far_end.ask(do="greet", **where)[0]["ledger"]["paused"] == {"*": "moving"}
    assert far_end.ask(do="forgive", app="web", **where) == [{"end": True}]


def test_what_cannot_be_done_is_an_answer(far_end: FarEnd, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    where = {"fleet": "fleet", "host": "host", "root": str(tmp_path / "file")}
    [answer] = far_end.ask(do="pause", app="*", reason="moving", **where)
    assert answer["failure"][0] == "host-error"
    [answer] = far_end.ask(do="apply", request={"nonsense": 1}, **where)
    assert answer["failure"][0] == "remote-error"


def test_a_ping_is_answered(far_end: FarEnd) -> None:
    assert far_end.ask(do="ping") == [{"pong": True}]


def test_it_ends_when_nobody_is_there() -> None:
    end = FarEnd(60.0)
    end.hang_up()
    end.thread.join()
    end.close()


def test_it_ends_when_nobody_speaks() -> None:
    end = FarEnd(0.05)
    end.thread.join()
    end.close()


def test_an_apply_that_nobody_listens_to_ends_after_the_step_that_it_is_in(tmp_path: Path) -> None:
    end = FarEnd(60.0)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    wait = wanted("command", argv=["sh", "-c", f"read word <{gate}"])
    wish = request(wanted("file", path="/a", content="a"), wait, wanted("file", path="/b", content="b"))
    root = tmp_path / "root"
    question = {"do": "apply", "fleet": "fleet", "host": "host", "root": str(root), "request": asdict(wish)}
    os.write(end.asking, pack(question))
    with gate.open("w") as opened:
        end.hang_up()
        opened.write("go on\n")
    end.thread.join()
    end.close()
    assert (root / "a").exists()
    assert not (root / "b").exists()


def test_the_library_starts_from_its_shipment(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    assert "Python" not in _started(tmp_path, become=False)


def test_to_apply_files_loads_nothing_that_is_slow_to_load(tmp_path: Path) -> None:
    wish = asdict(request(wanted("directory", path="/srv"), wanted("file", path="/srv/a", content="a")))
    where = {"fleet": "fleet", "host": "host", "root": str(tmp_path)}
    script = (
        "import sys\nfrom reconciler.resources.channel.remote import HostClock, Server\n"
        "Server(0, 1, HostClock()).run()\nprint(*sys.modules)"
    )
    argv = [sys.executable, "-S", "-c", script]
    with subprocess.Popen(
        argv, cwd=Path(__file__).parents[4], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as far_end:
        assert far_end.stdin is not None
        assert far_end.stdout is not None
        far_end.stdin.write(pack({"do": "greet", **where}) + pack({"do": "apply", "request": wish, **where}))
        said = b""
        while said.count(b'{"end":true}') < 2:
            piece = far_end.stdout.read(65536)
            assert piece, said
            said += piece
        far_end.stdin.close()
        loaded = far_end.stdout.read().decode()
    assert (tmp_path / "srv" / "a").read_text() == "a"
    slow = {"copy", "dataclasses", "datetime", "fnmatch", "hashlib", "queue", "shlex", "signal", "socket", "subprocess"}
    assert "reconciler.resources.kinds.file" in loaded.split()
    assert not slow & set(loaded.split())


def test_a_host_with_another_python_takes_the_sources(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    others = shipment().replace(importlib.util.MAGIC_NUMBER.hex().encode("ascii"), b"another", 1)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    argv = ["/bin/sh", "-c", command(become=False)]
    done = subprocess.run(argv, env=environment, input=others, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (MARKER, b"")


def test_sudo_is_asked_not_to_ask(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "sudo").write_text('#!/bin/sh\necho "$1 $2" >&2\nshift 2\nexec "$@"\n')
    (tmp_path / "sudo").chmod(0o755)
    assert _started(tmp_path, become=True).strip() == "-n --"


def test_without_python_or_sudo_nothing_starts(tmp_path: Path) -> None:
    for become, code in ((False, NO_PYTHON), (True, NO_SUDO)):
        argv = ["/bin/sh", "-c", command(become=become)]
        done = subprocess.run(argv, env={"PATH": str(tmp_path)}, input=b"", capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (code, b"")


def _started(programs: Path, *, become: bool) -> str:
    """What a start says on standard error; its standard output is the marker alone."""
    environment = {"PATH": f"{programs}:/usr/bin:/bin"}
    argv = ["/bin/sh", "-c", command(become=become)]
    done = subprocess.run(argv, env=environment, input=shipment(), capture_output=True, check=True)
    assert done.stdout == MARKER
    return done.stderr.decode()
