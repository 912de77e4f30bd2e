"""The server that integration tests share: one for each worker, emptied before each test that uses its store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.opening import OpenServer, at_url
from tests.integration.store.servers import SERVERS


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Valkey, or the kind of server that a test asks for."""
    kind = getattr(request, "param", "valkey")
    with SERVERS[kind](tmp_path_factory.mktemp(kind)) as url:
        yield url


@pytest.fixture(scope="session")
def opened(server_url: str) -> Iterator[OpenServer]:
    server = at_url(server_url, SystemClock())
    yield server
    server.close()


@pytest.fixture
def store(opened: OpenServer) -> Store:
    opened.link.ask_primaries("FLUSHALL")
    return Store(opened)
