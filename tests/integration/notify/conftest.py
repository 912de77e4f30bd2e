"""Services on loopback that channels send to."""

from collections.abc import Iterator

import pytest

from tests.fakes.services import Service, http_service


@pytest.fixture
def service() -> Iterator[Service]:
    with http_service() as made:
        yield made
