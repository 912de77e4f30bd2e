"""Whether the newest tree has mistakes: told once in the log, and to the monitor until they are mended.

Called by the watch. What else keeps a turn from being taken says nothing of that: it may happen while an earlier tree
is followed.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.loops.log import Log, SaidOnce

_SUBJECT = "mistakes"


class Mistakes:
    """What the watch knows of them.

    Args:
        note: told 1 where there are some, else 0.
        log: where people read of them.
    """

    def __init__(self, note: Callable[[float], None], log: Log) -> None:
        self._note = note
        self._log = log
        self._said = SaidOnce()
        self._there = False

    def found(self, problems: str, in_force: str) -> None:
        """The newest tree has these, and another one is in force (empty: none is)."""
        self._there = True
        self._note(1.0)
        follows = in_force or "nothing, until they are mended"
        self._said.say(_SUBJECT, self._log.error, "invalid", error=problems, in_force=follows)

    def none(self, revision: str) -> None:
        """The newest tree, of this revision, could be planned."""
        if self._there:
            self._log.info("mended", revision=revision)
        self._there = False
        self._said.over(_SUBJECT)
        self._note(0.0)
