"""Aligned columns for lists that people scan.

Cells may be painted already; the caller makes foreign text visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.reports.visible import width


def aligned(rows: Iterable[Sequence[str]], *, gap: str = "  ") -> list[str]:
    """One line a row, each column as wide as its widest cell; nothing is padded at the end of a line."""
    cells = [list(row) for row in rows]
    widths = [max(width(row[column]) for row in cells if column < len(row)) for column in range(_columns(cells))]
    return [
        gap.join(cell + " " * (widths[column] - width(cell)) for column, cell in enumerate(row)).rstrip()
        for row in cells
    ]


def _columns(rows: Sequence[Sequence[str]]) -> int:
    return max((len(row) for row in rows), default=0)
