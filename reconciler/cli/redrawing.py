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
    from reconciler.reports.redrawing import drawn_in_place

    with drawn_in_place() as draw:
        yield lambda heading, text, _: draw(heading, text)


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
