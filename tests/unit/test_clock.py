"""Names that sort by time, and milliseconds that are exact."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.clock import SystemClock, milliseconds, ulid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
unix_milliseconds = st.integers(0, 253_402_300_799_999)
"""Up to the end of the year 9999."""


def moment(unix: int) -> datetime:
    return EPOCH + timedelta(milliseconds=unix)


def number(text: str) -> int:
    value = 0
    for character in text:
        value = value * 32 + ALPHABET.index(character)
    return value


@given(unix=unix_milliseconds)
def test_milliseconds_are_exact(unix: int) -> None:
    assert milliseconds(moment(unix)) == unix
    assert milliseconds(moment(unix) + timedelta(microseconds=999)) == unix


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        milliseconds(datetime(2026, 11, 23))  # noqa: DTZ001 - that is the point


@given(unix=unix_milliseconds)
def test_a_ulid_carries_its_time(unix: int) -> None:
    name = ulid(moment(unix))
    assert len(name) == 26
    assert number(name) >> 80 == unix


@given(earlier=unix_milliseconds, later=unix_milliseconds)
def test_ulids_sort_by_time(earlier: int, later: int) -> None:
    if earlier < later:
        assert ulid(moment(earlier)) < ulid(moment(later))


def test_ulids_of_the_same_moment_differ() -> None:
    assert len({ulid(NOON) for _ in range(1000)}) == 1000


def test_the_clock_of_this_machine_speaks_utc_and_its_timer_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    clock.sleep(0)
    assert clock.monotonic() >= before
