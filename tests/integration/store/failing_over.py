"""A primary, its replica, and three Sentinels that watch them; and a slot that moves from one node to another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.store.connect import connect
from reconciler.store.server import Server
from tests.integration.store.servers import node_options, valkey
from tests.ports import free_port
from tests.waiting import until

SENTINEL = """sentinel monitor fleet 127.0.0.1 PORT 2
sentinel down-after-milliseconds fleet 120000
sentinel failover-timeout fleet 120000
"""
"""They act only when they are told to: else a machine that has no time for a server would let them."""


@dataclass(frozen=True)
class Guarded:
    """Two servers behind Sentinels."""

    url: str
    primary: Server
    replica: Server
    sentinel: Server

    def replica_has(self, key: str) -> bool:
        return bool(self.replica.send("EXISTS", key))

    def lose(self, *command: str) -> None:
        """Let the replica lack a write that the primary has acknowledged."""
        self.replica.send("CONFIG", "SET", "replica-read-only", "no")
        self.replica.send(*command)

    def fail_over(self) -> None:
        """The primary is gone, without a word; returns once the replica has taken its place."""
        _kill(self.primary)
        until(lambda: _done(self.sentinel, "SENTINEL", "FAILOVER", "fleet"), "the begin of a failover")
        until(lambda: "role:master" in _info(self.replica), "a failover")


@contextmanager
def guarded(directory: Path) -> Iterator[Guarded]:
    """A primary and its replica behind three Sentinels."""
    directory.mkdir(exist_ok=True)
    ports, sentinels = [free_port() for _ in range(2)], [free_port() for _ in range(3)]
    with ExitStack() as running:
        running.enter_context(valkey(directory / "first", port=ports[0]))
        follow = ["--replicaof", "127.0.0.1", str(ports[0])]
        running.enter_context(valkey(directory / "second", *follow, port=ports[1]))
        first, second = (running.enter_context(_at(port)) for port in ports)
        until(lambda: "master_link_status:up" in _info(second), "a replica")
        for number, port in enumerate(sentinels):
            config = directory / f"sentinel-{number}.conf"
            config.write_text(SENTINEL.replace("PORT", str(ports[0])))
            running.enter_context(valkey(directory / str(number), port=port, sentinel=config))
        links = [running.enter_context(_at(port)) for port in sentinels]
        until(lambda: all(map(_all_seen, links)), "Sentinels that know each other")
        hosts = ",".join(f"127.0.0.1:{port}" for port in sentinels)
        yield Guarded(f"redis+sentinel://{hosts}/fleet/0", first, second, links[0])


@contextmanager
def _at(port: int) -> Iterator[Server]:
    link = connect(f"redis://127.0.0.1:{port}/0", SystemClock())
    yield link
    link.close()


def _kill(link: Server) -> None:
    os.kill(int(_info(link).partition("process_id:")[2].split()[0]), signal.SIGKILL)


def _done(link: Server, *command: str) -> bool:
    """Whether it was accepted."""
    try:
        return bool(link.ask_primaries(*command))
    except Unavailable:
        return False


def _info(link: Server) -> str:
    text: bytes = link.send("INFO")
    return text.decode()


def _all_seen(sentinel: Server) -> bool:
    info = _info(sentinel)
    return "slaves=1,sentinels=3" in info


@dataclass(frozen=True)
class Nodes:
    """The nodes of a cluster, each by itself."""

    nodes: tuple[Server, ...]

    def slot(self, host: str) -> int:
        return int(self.nodes[0].ask_primaries("CLUSTER", "KEYSLOT", f"{{{host}}}")[0])

    def owner(self, slot: int) -> int:
        """The number of the node that serves the slot."""
        return next(n for n, node in enumerate(self.nodes) if self._serves(node, slot))

    def move(self, slot: int) -> None:
        """Move a slot to the next node key by key, as `redis-cli --cluster reshard` does."""
        with self.moving(slot):
            pass

    @contextmanager
    def moving(self, slot: int) -> Iterator[None]:
        """A slot whose keys are all at the next node already, while the block runs, which does not yet serve it."""
        source = self.nodes[self.owner(slot)]
        target = self.nodes[(self.owner(slot) + 1) % len(self.nodes)]
        here, there = (node.ask_primaries("CLUSTER", "MYID")[0].decode() for node in (source, target))
        target.ask_primaries("CLUSTER", "SETSLOT", str(slot), "IMPORTING", here)
        source.ask_primaries("CLUSTER", "SETSLOT", str(slot), "MIGRATING", there)
        port = target.where.rpartition(":")[2].partition("/")[0]
        while keys := source.ask_primaries("CLUSTER", "GETKEYSINSLOT", str(slot), "100")[0]:
            for key in keys:
                source.ask_primaries("MIGRATE", "127.0.0.1", port, key.decode(), "0", "5000", "REPLACE")
        yield
        for node in (target, source, *self.nodes):
            node.ask_primaries("CLUSTER", "SETSLOT", str(slot), "NODE", there)

    def move_at_once(self, slot: int) -> None:
        """Move a slot to the next node in one step, as Valkey 9 can."""
        source, after = self.nodes[self.owner(slot)], (self.owner(slot) + 1) % len(self.nodes)
        there = self.nodes[after].ask_primaries("CLUSTER", "MYID")[0].decode()
        source.ask_primaries("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", str(slot), str(slot), "NODE", there)
        until(lambda: self._serves(self.nodes[after], slot), "a moved slot")

    @contextmanager
    def replica_of(self, number: int, directory: Path) -> Iterator[Server]:
        """One more node, which can take over from the node with this number."""
        primary, port = self.nodes[number], free_port()
        with valkey(directory, *node_options(), port=port), _at(port) as replica:
            bus = primary.ask_primaries("CONFIG", "GET", "cluster-port")[0][1].decode()
            at = primary.where.rpartition(":")[2].partition("/")[0]
            replica.ask_primaries("CLUSTER", "MEET", "127.0.0.1", at, bus)
            own = primary.ask_primaries("CLUSTER", "MYID")[0].decode()
            until(lambda: _done(replica, "CLUSTER", "REPLICATE", own), "a replica")
            until(lambda: "master_link_status:up" in _info(replica), "a copy")
            yield replica

    def fail_over(self, number: int, replica: Server) -> None:
        """A node is gone, without a word, and its replica takes its place."""
        _kill(self.nodes[number])
        until(lambda: _done(replica, "CLUSTER", "FAILOVER", "TAKEOVER"), "a failover")

    def _serves(self, node: Server, slot: int) -> bool:
        mine: bytes = node.ask_primaries("CLUSTER", "MYID")[0]
        served = node.ask_primaries("CLUSTER", "SLOTS")[0]
        return any(first <= slot <= last and primary[2] == mine for first, last, primary, *_ in served)


@contextmanager
def nodes_of(url: str) -> Iterator[Nodes]:
    """The nodes behind the URL of a cluster."""
    ports = [int(word.rpartition(":")[2]) for word in url.split(",")]
    with ExitStack() as running:
        yield Nodes(tuple(running.enter_context(_at(port)) for port in ports))
