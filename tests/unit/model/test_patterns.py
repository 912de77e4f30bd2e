"""Patterns of manifests match as regular expressions do, and stop."""

import pytest

from reconciler.model.patterns import matches_whole


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[a-z]+", "webapp", True),
        ("[a-z]+", "webapp\n", False),
        ("[a-z]+", "web-app", False),
        ("", "", True),
        (r"v\d+\.\d+(-rc\d+)?", "v1.10-rc2", True),
        (r"v\d+\.\d+(-rc\d+)?", "v1.10-beta", False),
        ("(?:a|b)+c*", "abcc", True),
    ],
)
def test_a_pattern_matches_the_whole_text_or_not(pattern: str, text: str, *, matches: bool) -> None:
    assert matches_whole(pattern, text) is matches


def test_one_that_backtracks_without_end_is_stopped() -> None:
    with pytest.raises(ValueError, match="it backtracks without end"):
        matches_whole("(a|aa)+b", "a" * 1000)


def test_one_that_cannot_be_read_is_told() -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        matches_whole("(a+)+(?P<x", "a")
