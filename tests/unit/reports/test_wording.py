"""Counts, names, ages, widths: the grain of all reports."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports.colour import Palette, without_colour
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import clip, visible, visible_line, visible_lines, width
from reconciler.reports.words import age, count, duration, listed, moment, natural, short

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def test_one_is_singular() -> None:
    assert [count(number, "host") for number in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
    assert count(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["web-1"], "web-1"),
        (["web-2", "web-1"], "web-1 and web-2"),
        (["web-10", "web-9", "web-1", "web-2"], "web-1, web-2, web-9 and web-10"),
        ([f"web-{number}" for number in range(1, 51)], "web-1, web-2 and 48 more"),
    ],
)
def test_long_lists_of_names_are_shortened(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_a_complete_list_leaves_no_name_out() -> None:
    assert (
        listed([f"web-{number}" for number in (3, 1, 2, 5, 4)], complete=True) == "web-1, web-2, web-3, web-4 and web-5"
    )


@given(names=st.lists(st.text("ab-019", max_size=6), unique=True))
def test_the_natural_order_tells_all_names_apart(names: list[str]) -> None:
    assert len({natural(name) for name in names}) == len(names)
    backwards = names[::-1]
    assert sorted(backwards, key=natural) == sorted(names, key=natural)


@pytest.mark.parametrize(
    ("revision", "text"),
    [("1a2b3c4d" * 5, "1a2b3c4"), ("1a2b3c4+changes", "1a2b3c4+changes"), ("", "working tree"), ("v\n", "v\\n")],
)
def test_a_full_commit_hash_is_shortened(revision: str, text: str) -> None:
    assert short(revision) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (-5, "now"), (59, "59s ago"), (60, "1m ago"), (7199, "1h ago"), (86_400 * 3, "3d ago")],
)
def test_ages_are_told_in_their_largest_unit(seconds: float, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_what_never_happened_has_no_age() -> None:
    assert age(None, NOW) == "never"
    assert moment(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (1.25, "1.2s"),
        (59.94, "59.9s"),
        (59.96, "1m00s"),
        (75, "1m15s"),
        (3_599.6, "1h00m"),
        (7320, "2h02m"),
    ],
)
def test_durations_fit_their_size(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_a_terminal_would_obey_becomes_readable() -> None:
    assert visible("\x1b[31m\x9b\t\n\r\x00") == "\\x1b[31m\\x9b\\t\\n\\r\\x00"
    assert visible("a\u202eb\ufeff\u200b\U000e0041\ud800") == "a\\u202eb\\ufeff\\u200b\\U000e0041\\ud800"


@pytest.mark.parametrize(
    "hidden", list("\xad\u061c\u180e\u200b\u200e\u2028\u2029\u202a\u2066\u2060\ufeff\ufff9\U000e0001")
)
def test_what_nobody_could_see_can_be_seen(hidden: str) -> None:
    assert visible(f"a{hidden}b").startswith("a\\")


def test_what_people_write_stays() -> None:
    assert visible("欢迎 Grüße 👩‍💻 ~ \\x1b") == "欢迎 Grüße 👩‍💻 ~ \\x1b"


def test_a_line_of_a_file_keeps_its_tabs_and_shows_a_carriage_return() -> None:
    assert visible_line("\tlisten 80;\r\n") == "\tlisten 80;\\r"
    assert visible_lines("a\n\nb\x07\n") == ["a", "", "b\\x07"]
    assert visible_lines("") == [""]


@given(text=st.text())
def test_visible_text_can_be_printed_and_encoded(text: str) -> None:
    shown = visible(text)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_columns_are_counted_as_terminals_do() -> None:
    assert [width(text) for text in ("abc", "欢迎", "e\u0301", "\x1b[31mabc\x1b[0m")] == [3, 4, 1, 3]


@given(text=st.text(st.sampled_from("ab欢e\u0301"), max_size=12), columns=st.integers(0, 10))
def test_clipped_text_fits(text: str, columns: int) -> None:
    assert width(clip(text, columns)) <= columns
    if width(text) <= columns:
        assert clip(text, columns) == text


def test_columns_are_aligned_also_with_colours_and_wide_characters() -> None:
    paint = Palette(color=True)
    lines = aligned([["欢迎", "x"], [paint.good("a"), "y"], ["b"]])
    assert [without_colour(line) for line in lines] == ["欢迎  x", "a     y", "b"]


def test_no_rows_are_no_lines() -> None:
    assert aligned([]) == []


def test_without_colour_text_stays_as_it_is() -> None:
    assert Palette(color=False).bad("x") == "x"
    assert Palette(color=True).bad("") == ""


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as far:
        far.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_times_are_told_in_utc_wherever_the_reader_is() -> None:
    there = datetime.fromisoformat("2026-11-23T14:30:00+08:00")
    assert json.loads(document(at=there))["at"] == "2026-11-23T06:30:00Z"
    assert moment(there) == "2026-11-23 06:30:00Z"


def test_what_has_no_json_form_is_a_mistake_and_not_text() -> None:
    with pytest.raises(TypeError, match="bytes has no JSON form"):
        document(secret=b"x")


def test_equal_values_give_equal_json() -> None:
    assert document(a={"y": 1, "x": {"b", "a"}}) == document(a={"x": {"a", "b"}, "y": 1})
