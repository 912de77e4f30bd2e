"""A scene before anything was enrolled."""

import pytest

from tests.unit.enrolment.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()
