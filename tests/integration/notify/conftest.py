"""A real Valkey, services on loopback, and a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.opening import OpenServer, at_url
from tests.fakes.services import Service, http_service
from tests.integration.store.servers import valkey


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenServer]:
    with valkey(tmp_path_factory.mktemp("valkey")) as url:
        server = at_url(url, SystemClock())
        yield server
        server.close()


@pytest.fixture
def store(opened: OpenServer) -> Store:
    opened.link.ask_primaries("FLUSHALL")
    return Store(opened)


@pytest.fixture
def service() -> Iterator[Service]:
    with http_service() as made:
        yield made
