"""What hosts are doing while a command waits: live lines on a terminal, one plain line a finished app elsewhere.

The only report that writes by itself. The command's waiting loop feeds it and calls `tick`; no thread of its own, so it
can never outlive the command or write into its output.
"""

from __future__ import annotations

import enum
import os
import shutil
import threading
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Self, TextIO

from reconciler.clock import Clock
from reconciler.reports.colour import Palette
from reconciler.reports.visible import clip, visible
from reconciler.reports.words import count, duration, natural
from reconciler.resources.values import dataclass, field, replace

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME_SECONDS = 0.1
_LIVE_HOSTS = 10
_CLEAR_TO_END = "\x1b[J"


class Show(enum.Enum):
    """How much progress is written."""

    NOTHING = "nothing"
    PLAIN = "plain"
    LIVE = "live"

    @classmethod
    def fitting(cls, stream: TextIO, *, quiet: bool) -> Show:
        """Live lines on a terminal, plain ones elsewhere, nothing when people asked for quiet."""
        if quiet:
            return cls.NOTHING
        return cls.LIVE if stream.isatty() else cls.PLAIN


@dataclass(frozen=True, slots=True)
class Working:
    """What a host is doing now."""

    host: str
    app: str
    since: float
    """Monotonic seconds at the start of the app."""
    doing: str = ""
    """The resource that is being dealt with."""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that a frame of the live view shows."""

    total: int
    finished: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    working: Mapping[str, Working] = field(default_factory=dict)


def frame(board: Board, *, now: float, size: os.terminal_size, color: bool) -> list[str]:
    """The lines of the live view: the hosts at work, longest first, and how many are done. They fit the terminal."""
    paint = Palette(color)
    spinner = paint.note(_SPINNER[int(now / _FRAME_SECONDS) % len(_SPINNER)])
    working = sorted(board.working.values(), key=lambda work: (work.since, natural(work.host)))
    shown = working[: max(0, min(_LIVE_HOSTS, size.lines - 3))]
    lines = [f"{spinner} {clip(_working_line(work, now), size.columns - 3)}" for work in shown]
    if len(working) > len(shown):
        more = f"  and {count(len(working) - len(shown), 'more host')} at work"
        lines.append(paint.quiet(clip(more, size.columns - 1)))
    failed = f", {len(board.failed)} failed" if board.failed else ""
    return [*lines, clip(f"{len(board.finished)} of {count(board.total, 'host')} done{failed}", size.columns - 1)]


class Progress:
    """Follows a run on a stream; a context manager, so that the live lines are gone before anything else is printed.

    Methods may be called from several threads.
    """

    def __init__(
        self,
        hosts: Collection[str],
        stream: TextIO,
        clock: Clock,
        *,
        show: Show,
        color: bool,
        size: Callable[[], os.terminal_size] = shutil.get_terminal_size,
    ) -> None:
        self._board = Board(len(hosts))
        self._stream = stream
        self._clock = clock
        self._show = show
        self._color = color
        self._size = size
        self._drawn_lines = 0
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._erase()

    def started(self, host: str, app: str) -> None:
        """An app is being brought to its state on a host."""
        with self._lock:
            self._set(host, Working(host, app, self._clock.monotonic()))
            self._draw(force=True)

    def working(self, host: str, resource: str) -> None:
        """A resource of the app that the host works on is being dealt with now."""
        with self._lock:
            working = self._board.working.get(host)
            if working is not None:
                self._set(host, replace(working, doing=resource))
            self._draw()

    def finished(self, host: str, app: str, outcome: str, *, failed: bool = False) -> None:
        """An app ended on a host; `outcome` is short: `converged, 3 changed`."""
        with self._lock:
            self._set(host, None)
            if failed:
                self._board = replace(self._board, failed=self._board.failed | {host})
            if self._show is Show.PLAIN or (self._show is Show.LIVE and failed):
                self._write_line(f"{visible(host)}  {visible(app)}  {visible(outcome)}", failed=failed)
            self._draw(force=True)

    def host_done(self, host: str) -> None:
        """Nothing more is to come from a host."""
        with self._lock:
            self._set(host, None)
            self._board = replace(self._board, finished=self._board.finished | {host})
            self._draw(force=True)

    def tick(self) -> None:
        """Let the live view move on; the waiting loop calls it a few times a second."""
        with self._lock:
            self._draw()

    def _set(self, host: str, working: Working | None) -> None:
        others = {name: work for name, work in self._board.working.items() if name != host}
        self._board = replace(self._board, working={**others, host: working} if working else others)

    def _draw(self, *, force: bool = False) -> None:
        now = self._clock.monotonic()
        if self._show is not Show.LIVE or (not force and now - self._drawn_at < _FRAME_SECONDS):
            return
        self._drawn_at = now
        lines = frame(self._board, now=now, size=self._size(), color=self._color)
        self._stream.write(self._back() + "".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._drawn_lines = len(lines)

    def _write_line(self, line: str, *, failed: bool) -> None:
        self._erase()
        self._stream.write(f"{Palette(self._color).bad(line) if failed else line}\n")
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn_lines:
            self._stream.write(self._back())
            self._stream.flush()
        self._drawn_lines = 0

    def _back(self) -> str:
        return f"\x1b[{self._drawn_lines}A\r{_CLEAR_TO_END}" if self._drawn_lines else ""


def _working_line(work: Working, now: float) -> str:
    doing = f": {visible(work.doing)}" if work.doing else ""
    return f"{visible(work.host)}  {visible(work.app)}  {duration(now - work.since)}{doing}"
