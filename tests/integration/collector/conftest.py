"""One Valkey for all tests of collectors."""

from collections.abc import Iterator

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.integration.store.servers import valkey


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey(tmp_path_factory.mktemp("valkey")) as found:
        yield found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = at_url(url, SystemClock())
    opened.link.ask_primaries("FLUSHALL")
    with Store(opened) as store:
        yield store
