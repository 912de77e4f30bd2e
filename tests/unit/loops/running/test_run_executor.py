"""How long a run waits before it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.loops.running.run_executor import pause_seconds


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_shorter_than_5_s_nor_longer_than_10_min(tries: int, chance: float) -> None:
    assert 5 <= pause_seconds(tries, chance) <= 600


@pytest.mark.parametrize(("tries", "longest"), [(1, 10), (2, 20), (5, 160), (7, 600), (100, 600)])
def test_the_longest_pause_doubles_with_each_try(tries: int, longest: int) -> None:
    assert pause_seconds(tries, 0.0) == 5
    assert pause_seconds(tries, 1.0) == longest
