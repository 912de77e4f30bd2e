"""How runs of a job ended, a line for each host (`reconcile run`, `jobs logs`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.work import Work, WorkState
from reconciler.reports.colour import Palette
from reconciler.reports.jobs import painter
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import count, duration, natural


def runs_text(works: Sequence[Work], *, color: bool) -> str:
    """One aligned line a host, what went wrong below it, and a last line with the sums."""
    paint = Palette(color)
    ordered = sorted(works, key=lambda work: natural(work.host))
    lines: list[str] = []
    for work, line in zip(ordered, aligned(_cells(work, paint) for work in ordered), strict=True):
        lines += [line, *(f"  {told}" for told in _details(work))]
    return "".join(f"{line}\n" for line in [*lines, paint.strong(_sums(ordered))])


def runs_json(runs: Sequence[tuple[Work, str]]) -> str:
    """{"format": 1, "runs": [{"host", "id", "job", "state", "attempt", "result", "output", times}...]}."""
    ordered = sorted(runs, key=lambda run: natural(run[0].host))
    return document(
        runs=[
            {
                "host": work.host,
                "id": work.id,
                "job": work.args.get("job", ""),
                "state": work.state,
                "attempt": work.attempt,
                "reason": work.reason,
                "result": dict(work.result),
                "output": output,
                "created_at": work.created_at,
                "started_at": work.started_at,
                "finished_at": work.finished_at,
            }
            for work, output in ordered
        ]
    )


def _cells(work: Work, paint: Palette) -> list[str]:
    code = work.result.get("exit_code")
    seconds = work.result.get("seconds")
    return [
        visible(work.host),
        painter(work.state, paint)(work.state.value),
        _ended(code) if isinstance(code, int) else "",
        duration(seconds) if isinstance(seconds, int | float) else "",
    ]


def _ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _details(work: Work) -> Iterator[str]:
    if work.state is WorkState.SUCCEEDED:
        return
    for told in (work.result.get("error"), work.result.get("hint"), work.reason):
        if isinstance(told, str) and told:
            yield from visible_lines(told)


def _sums(works: Sequence[Work]) -> str:
    numbers = {state: sum(work.state is state for work in works) for state in WorkState}
    told = ", ".join(f"{number} {state.value}" for state, number in numbers.items() if number)
    return f"{count(len(works), 'host')}: {told}."
