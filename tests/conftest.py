"""What holds for all tests: in CI hypothesis draws the same examples every time, everywhere it has no deadline."""

import gc
import os

from hypothesis import HealthCheck, settings

settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not go through it in any test or its forks."""
    gc.freeze()
