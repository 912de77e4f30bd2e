"""Texts of others, before they stand in a log, a message or a place: nothing in them is obeyed or hidden. Pure.

Reports have `visible`, which also knows what scripts and columns of a terminal need.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with escapes for what a terminal must not get to see, line ends included."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def one_line(text: str) -> str:
    """The printable text with a space for all that parts words."""
    return printable(" ".join(text.split()))
