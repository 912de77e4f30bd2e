"""Conflicts that a merge left in a file. Called where manifests and templates are read."""

from __future__ import annotations

import re

HINT = "Choose one side, and delete the lines <<<<<<<, ======= and >>>>>>>"
MESSAGE = "a conflict of git is not resolved"
_CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.MULTILINE | re.DOTALL)


def conflict_line(text: str) -> int:
    """The line in which the first unresolved conflict begins; 0 if there is none."""
    found = _CONFLICT.search(text.replace("\r\n", "\n")) if "<<<<<<< " in text else None
    return found.string.count("\n", 0, found.start()) + 1 if found else 0
