"""Text from manifests and hosts, made safe to show: what a terminal would obey or hide becomes readable.

Every report passes foreign text through here, so that a rendered file cannot move the cursor, change colours,
reverse the reading direction or pretend to be another line.
"""

from __future__ import annotations

import re
import unicodedata

from reconciler.reports.colour import without_colour

# C0 and C1 controls, soft hyphen, zero-width and bidirectional controls, line separators, byte order mark, interlinear
# and tag characters, lone surrogates. Joiners (U+200C, U+200D) stay: real scripts and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line, with control, invisible and direction characters written as escapes."""
    return _HIDDEN.sub(_escape, text)


def visible_line(line: str) -> str:
    """A line of a file or a diff: its own line end is dropped and tabs stay, all else is as in `visible`."""
    return "\t".join(visible(part) for part in line.removesuffix("\n").split("\t"))


def visible_lines(text: str) -> list[str]:
    """A text of several lines, such as what a failed command said; at least one line, a last line end is dropped."""
    return [visible_line(line) for line in text.removesuffix("\n").split("\n")]


def width(text: str) -> int:
    """How many columns the text takes on a terminal; wide characters take two, combining ones and colours none."""
    plain = without_colour(text)
    if plain.isascii():
        return len(plain)
    return sum(_columns(character) for character in plain)


def clip(text: str, columns: int) -> str:
    """The text without colours, cut to a number of columns, with an ellipsis where something is missing."""
    plain = without_colour(text)
    if width(plain) <= columns:
        return plain
    kept = ""
    room = columns - 1
    for character in plain:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
