"""The fleets that the tests look at. Outside of `make e2e` every test here is skipped and says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, booted

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "E2E_ROOT" not in os.environ:
        for item in items:
            if item.path.is_relative_to(_HERE):
                item.add_marker(pytest.mark.skip(reason="real hosts: make e2e, as root"))


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Three hosts, fresh for every module."""
    with booted("web-1", "web-2", "db-1") as hosts:
        yield hosts
