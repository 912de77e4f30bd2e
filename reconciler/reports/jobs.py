"""Work in the queues and what became of it (`reconcile jobs list`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from reconciler.model.work import CONVERGE, Work, WorkState
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import padded
from reconciler.reports.visible import clip, visible, visible_lines, width
from reconciler.reports.words import age

_NARROWEST = 20
"""Columns that a reason has in any case."""


_SHOWN = 8
"""Characters of a run's id that are shown: its last ones are chance, its first ones the time that others have too."""


def jobs_text(works: Sequence[Work], *, now: datetime, color: bool, columns: int = 0, whole: bool = False) -> str:
    """A table in the order given; the first line of the state's reason stands in its last column.

    Args:
        works: what to list.
        now: for ages.
        color: whether it may be painted.
        whole: whether the ids of runs are to stand there with all their characters.
        columns: of the terminal, where the reasons are cut so that no line wraps; 0: there is none.
    """
    if not works:
        return "No jobs.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("ID", "HOST", "WHAT", "STATE", "ATTEMPT", "SINCE", "REASON")]
    rows = padded([header, *(_cells(work, now, paint, whole=whole) for work in works)])
    if columns:
        taken = width("  ".join(rows[0][:-1])) + 2
        rows = [rows[0], *([*row[:-1], clip(row[-1].rstrip(), max(columns - taken, _NARROWEST))] for row in rows[1:])]
    return "".join(f"{'  '.join(row).rstrip()}\n" for row in rows)


def jobs_json(works: Sequence[Work]) -> str:
    """{"format": 1, "jobs": [the fields of Work, times in ISO 8601...]}, in the order given."""
    return document(jobs=works)


def _cells(work: Work, now: datetime, paint: Palette, *, whole: bool) -> list[str]:
    since = work.finished_at or work.started_at or work.created_at
    state = painter(work.state, paint)(work.state.value)
    reason = visible_lines((work.reason or str(work.result.get("error", ""))).lstrip())[0]
    return [
        visible(work.id if whole or work.kind == CONVERGE else work.id[-_SHOWN:]),
        visible(work.host),
        visible(_what(work)),
        state,
        str(work.attempt),
        age(since, now) if since else "-",
        reason,
    ]


def _what(work: Work) -> str:
    if work.kind == CONVERGE:
        return f"converge {work.id.removeprefix('converge:')}"
    return f"run {work.args.get('job', '')}".rstrip()


def painter(state: WorkState, paint: Palette) -> Callable[[str], str]:
    """The colour of a state."""
    if state is WorkState.SUCCEEDED:
        return paint.good
    if state in {WorkState.FAILED, WorkState.DEAD}:
        return paint.bad
    return paint.careful if state is WorkState.RETRYING else paint.note
