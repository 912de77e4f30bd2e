"""An agent is small, survives that Redis does not let it in, tells systemd how it is, and ends when it is told to."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tests.integration.agent.conftest import Fleet
from tests.integration.agent.test_converging import heard
from tests.integration.agent.test_rights import link_of
from tests.waiting import until

LARGEST_KIB = 60 * 1024


def test_it_takes_60_mib_at_most(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.started() as process:
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
        status = Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        assert int(found[1]) <= LARGEST_KIB


def test_it_goes_on_when_redis_lets_it_in_again(fleet: Fleet) -> None:
    edge, nodes = fleet.edges["edge-1"], link_of(fleet.store)
    with edge.serving() as process:
        until(lambda: heard(fleet, "edge-1"))
        nodes.ask_nodes("ACL", "SETUSER", "reconciler-edge-1", "off")
        nodes.ask_nodes("CLIENT", "KILL", "USER", "reconciler-edge-1")
        process.says("waiting")
        assert process.running
        nodes.ask_nodes("ACL", "SETUSER", "reconciler-edge-1", "on")
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
        assert edge.text("/etc/hello") == "Hello from edge-1\n"


def test_an_emptied_redis_fills_again_without_touching_the_host(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
        written = edge.file("/etc/hello").stat().st_mtime_ns
        link_of(fleet.store).ask_primaries("FLUSHALL")
        until(lambda: "hello" in {app for known in observed(fleet) for app in known})
        ran = fleet.ops("apply", "--yes", "--host", "edge-1")
        assert ran.code == 0, ran.out + ran.err
        assert "No changes" in ran.out
        assert edge.file("/etc/hello").stat().st_mtime_ns == written


def test_systemd_hears_that_it_is_ready_and_that_it_stops(fleet: Fleet, tmp_path: Path) -> None:
    edge = fleet.edges["edge-1"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "n"))
        systemd.settimeout(60)
        edge.environment.update(NOTIFY_SOCKET=str(tmp_path / "n"), WATCHDOG_USEC="60000000")
        with edge.serving() as process:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
        told = [b"WATCHDOG=1"]
        while told[-1] == b"WATCHDOG=1":
            told.append(systemd.recv(100))
        assert told[-1] == b"STOPPING=1"
        assert process.ends() == 0


def observed(fleet: Fleet) -> list[set[str]]:
    return [set(known.apps) for known in fleet.store.observed.read(["edge-1"]).values()]
