"""Every test of the store runs on one Valkey, on a cluster of three, so that no step spans slots, and on a Redis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.keys import Keys
from reconciler.store.opening import OpenServer, at_url
from reconciler.store.server import Server
from tests.integration.store.servers import SERVERS


@pytest.fixture(scope="session", params=["valkey", pytest.param("cluster", marks=pytest.mark.cluster), "redis"])
def server_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def server_url(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with SERVERS[server_kind](tmp_path_factory.mktemp(server_kind)) as url:
        yield url


@pytest.fixture(scope="session")
def opened(server_url: str) -> Iterator[OpenServer]:
    """Once more here, for one that is shared with other folders would stay with their server."""
    server = at_url(server_url, SystemClock())
    yield server
    server.close()


@dataclass(frozen=True)
class Inside:
    """What time and accidents do to keys, done by hand: tests do not wait for it."""

    link: Server
    keys: Keys

    def lease_runs_out(self, host: str, work_id: str) -> None:
        self.link.send("DEL", f"{self.keys.host(host)}inflight:{work_id}")

    def retry_comes_due(self, host: str, work_id: str) -> None:
        self.link.send("ZADD", self.keys.host(host) + "delayed", "XX", 0, work_id)

    def host_lease_runs_out(self, host: str) -> None:
        self.link.send("DEL", self.keys.host(host) + "lease")

    def control_runs_out(self) -> None:
        self.link.send("DEL", self.keys.control + "control")

    def all_keys(self) -> list[str]:
        return sorted(key.decode() for node in self.link.ask_primaries("KEYS", "*") for key in node)

    def seconds_to_live(self, key: str) -> int:
        """-1: it is there for good."""
        seconds: int = self.link.send("TTL", key)
        return seconds


@pytest.fixture
def inside(store: Store, opened: OpenServer) -> Inside:
    return Inside(opened.link, Keys())
