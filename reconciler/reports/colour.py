"""Colours by meaning, for all reports. Whether to use any (terminal, NO_COLOR, --no-color) is the caller's decision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.resources.values import dataclass

if TYPE_CHECKING:
    from reconciler.model.plan import Action

_RESET = "\x1b[0m"
_OWN_CODES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Palette:
    """Paints text for a terminal, or leaves it as it is where `color` is false."""

    color: bool

    def good(self, text: str) -> str:
        return self._paint("32", text)

    def bad(self, text: str) -> str:
        return self._paint("31", text)

    def careful(self, text: str) -> str:
        return self._paint("33", text)

    def note(self, text: str) -> str:
        return self._paint("36", text)

    def strong(self, text: str) -> str:
        return self._paint("1", text)

    def quiet(self, text: str) -> str:
        return self._paint("2", text)

    def action(self, action: Action, text: str) -> str:
        """Green adds, yellow changes, red deletes, cyan is unknown."""
        paint = {"add": self.good, "change": self.careful, "delete": self.bad, "unknown": self.note}
        return paint[action.value](text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.color and text else text


def without_colour(text: str) -> str:
    """The text without the codes that a palette put in."""
    return _OWN_CODES.sub("", text)
