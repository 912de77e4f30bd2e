"""Aligned columns for lists that people scan.

Cells may be painted already; the caller makes foreign text visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.reports.visible import width


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """One line a row, each column as wide as its widest cell; nothing is padded at the end of a line."""
    return ["  ".join(cells).rstrip() for cells in padded(rows)]


def padded(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """The cells, each filled up with spaces to the width of its column; rows may end early."""
    cells = [list(row) for row in rows]
    columns = max(map(len, cells), default=0)
    widths = [max(width(row[column]) for row in cells if column < len(row)) for column in range(columns)]
    return [[cell + " " * (widths[column] - width(cell)) for column, cell in enumerate(row)] for row in cells]
