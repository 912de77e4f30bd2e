"""A fleet in memory for the tests of the planner; a module whose world is another one says so itself."""

import pytest

from tests.fakes.fleet import World


@pytest.fixture
def world() -> World:
    return World()
