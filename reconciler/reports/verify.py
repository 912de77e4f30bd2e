"""What a read-only look at the hosts found (`reconcile verify`): which apps are as they were left, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.observed import Drift
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.plan_text import drift_lines
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import count, natural
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class VerifyRow:
    """One app on one host, looked at."""

    host: str
    app: str
    """Empty where not even the host could be reached."""
    resources: int = 0
    """How many resources were looked at."""
    drift: tuple[Drift, ...] = ()
    error: str = ""
    """Why it could not be looked at."""


def verify_text(rows: Sequence[VerifyRow], *, color: bool) -> str:
    """One line an app and host, drift below it, and a last line with the sums."""
    paint = Palette(color)
    ordered = _ordered(rows)
    heads = aligned([visible(row.host), visible(row.app) or "-", _outcome(row, paint)] for row in ordered)
    lines: list[str] = []
    for row, head in zip(ordered, heads, strict=True):
        lines += [head, *_below(row, paint)]
    lines += ["", paint.strong(_last_line(rows))] if lines else [_last_line(rows)]
    return "".join(f"{line}\n" for line in lines)


def verify_json(rows: Sequence[VerifyRow]) -> str:
    """{"format": 1, "apps": [the fields of VerifyRow...]}, by host and app."""
    return document(apps=_ordered(rows))


def _ordered(rows: Sequence[VerifyRow]) -> list[VerifyRow]:
    return sorted(rows, key=lambda row: (natural(row.host), row.app))


def _outcome(row: VerifyRow, paint: Palette) -> str:
    if row.error:
        return paint.bad("could not be looked at")
    if row.drift:
        return paint.careful(f"{len(row.drift)} of {count(row.resources, 'resource')} drifted")
    return paint.good(f"{count(row.resources, 'resource')} as left")


def _below(row: VerifyRow, paint: Palette) -> Iterator[str]:
    if row.error:
        yield from (f"    {line}" for line in visible_lines(row.error))
    for drift in row.drift:
        yield from drift_lines(drift, paint, indent="    ")


def _last_line(rows: Sequence[VerifyRow]) -> str:
    hosts = count(len({row.host for row in rows}), "host")
    drifted = sum(bool(row.drift) for row in rows)
    failed = sum(bool(row.error) for row in rows)
    told = [f"{drifted} drifted"] if drifted else []
    told += [f"{failed} could not be looked at"] if failed else []
    apps = count(sum(bool(row.app) for row in rows), "app")
    return f"Verified {apps} on {hosts}: {', '.join(told) or 'no drift'}."
