"""A text that is drawn again in its place on a terminal. Called by commands that follow something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text


@contextmanager
def drawn_in_place() -> Iterator[Callable[[str, str], None]]:
    """Draws a heading and a text, cut to the terminal; after the block the last one stays where it is."""
    terminal = Console(highlight=False)
    with Live(console=terminal, auto_refresh=False, vertical_overflow="crop") as live:

        def draw(heading: str, text: str) -> None:
            fitted = "\n".join(_fitting([heading, "", *text.splitlines()], terminal.height - 1))
            live.update(Text.from_ansi(fitted, no_wrap=True, overflow="ellipsis"), refresh=True)

        yield draw


def _fitting(lines: list[str], height: int) -> list[str]:
    """The lines, or as many as fit with a note, and always the last one, which has the sums."""
    if len(lines) <= height or height < 4:
        return lines[-height:] if height < 4 else lines
    kept = height - 2
    return [*lines[:kept], f"... {len(lines) - kept - 1} more lines", lines[-1]]
