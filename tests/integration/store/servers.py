"""Real servers for the tests: one Valkey, or a cluster of three, from the binary that the embedded server uses."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.store.connect import connect
from reconciler.store.embedded import binary
from tests.ports import free_port
from tests.waiting import until


@contextmanager
def valkey(
    directory: Path, *options: str, port: int = 0, program: Path | None = None, sentinel: Path | None = None
) -> Iterator[str]:
    """A server on loopback; its URL. What it keeps is in memory."""
    port = port or free_port()
    directory.mkdir(exist_ok=True)
    listen = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""]
    alone = ["--repl-diskless-sync-delay", "0"] if not sentinel else []  # else a copy waits 5 s for other replicas
    role = [str(sentinel), "--sentinel"] if sentinel else []
    with subprocess.Popen(
        [str(program or binary()), *role, *listen, *alone, *options], stdout=subprocess.DEVNULL
    ) as process:
        try:
            until(lambda: pings(port), "a PONG")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


@contextmanager
def cluster(directory: Path) -> Iterator[str]:
    """Three nodes that share the slots; the URL of the cluster."""
    ports = [free_port() for _ in range(3)]
    with ExitStack() as nodes:
        for number, port in enumerate(ports):
            nodes.enter_context(valkey(directory / str(number), *node_options(), port=port))
        _join(ports)
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)


def node_options() -> list[str]:
    """What makes a server a node of a cluster, whom nobody takes for dead because this machine has no time for it."""
    return ["--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout", "120000"]


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    """A Redis, where one is installed: the oldest that we support is Debian's 7.0."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed")
    with valkey(directory, program=Path(program)) as url:
        yield url


SERVERS = {"valkey": valkey, "cluster": cluster, "redis": redis}


def _join(ports: Sequence[int]) -> None:
    links = [connect(f"redis://127.0.0.1:{port}/0", SystemClock()) for port in ports]
    bus = links[0].ask_primaries("CONFIG", "GET", "cluster-port")[0][1].decode()
    for number, link in enumerate(links):
        link.ask_primaries("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        link.ask_primaries("CLUSTER", "ADDSLOTSRANGE", str(number * 16384 // 3), str((number + 1) * 16384 // 3 - 1))
        link.ask_primaries("CLUSTER", "MEET", "127.0.0.1", str(ports[0]), bus)
    for link in links:
        until(lambda link=link: _whole(link.ask_primaries("CLUSTER", "INFO")[0]), "a whole cluster")  # type: ignore[misc]
        link.close()


def _whole(info: bytes) -> bool:
    return b"cluster_state:ok" in info and b"cluster_known_nodes:3" in info


def pings(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as line:
            line.sendall(b"PING\r\n")
            return line.recv(1) in {b"+", b"-"}
    except OSError:
        return False
