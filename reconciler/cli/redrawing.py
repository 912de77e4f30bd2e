"""A text that is shown again and again: drawn in place on a terminal, elsewhere printed each time it is another one."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.console import Console

Draw = Callable[[str, str, str], None]
"""Shows a heading and a text. The last argument says what makes it another one; times alone do not."""


@contextmanager
def redrawn(console: Console) -> Iterator[Draw]:
    """What draws; after the block the last text stays where it is."""
    if console.output != "text" or not sys.stdout.isatty():
        yield _printing(console)
        return
    from rich.console import Console as Terminal
    from rich.live import Live
    from rich.text import Text

    terminal = Terminal(highlight=False)
    with Live(console=terminal, auto_refresh=False, vertical_overflow="crop") as live:

        def draw(heading: str, text: str, _: str) -> None:
            fitted = "\n".join(_fitting([heading, "", *text.splitlines()], terminal.height - 1))
            live.update(Text.from_ansi(fitted, no_wrap=True, overflow="ellipsis"), refresh=True)

        yield draw


@contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that nothing is cut off in the middle."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _printing(console: Console) -> Draw:
    last: list[str] = []

    def draw(heading: str, text: str, what: str) -> None:
        if [what] != last:
            last[:] = [what]
            console.print(f"{heading}\n{text}" if console.output == "text" else text)

    return draw


def _fitting(lines: list[str], height: int) -> list[str]:
    """The lines, or as many as fit with a note, and always the last one, which has the sums."""
    if len(lines) <= height or height < 4:
        return lines[-height:] if height < 4 else lines
    kept = height - 2
    return [*lines[:kept], f"... {len(lines) - kept - 1} more lines", lines[-1]]
