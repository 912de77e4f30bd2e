"""The hosts of the fleet (`reconcile hosts list`): how each is reached, when last heard of, what keeps it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible
from reconciler.reports.words import age, count, natural
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host."""

    name: str
    address: str
    connection: str
    """ssh, agent, local or sandbox."""
    labels: Mapping[str, str] = field(default_factory=dict)
    apps: int = 0
    seen_at: datetime | None = None
    state: str = ""
    """What keeps it from being worked on, in words: `maintenance until 18:00Z: disk swap`; empty when nothing does."""


def hosts_text(rows: Sequence[HostRow], *, now: datetime, color: bool) -> str:
    """A table in natural order with the number of hosts in its last line."""
    if not rows:
        return "No hosts.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("HOST", "ADDRESS", "BY", "APPS", "SEEN", "LABELS", "STATE")]
    lines = aligned([header, *(_cells(row, now, paint) for row in _ordered(rows))])
    return "".join(f"{line}\n" for line in [*lines, "", paint.strong(f"{count(len(rows), 'host')}.")])


def hosts_json(rows: Sequence[HostRow]) -> str:
    """{"format": 1, "hosts": [the fields of HostRow...]}, in natural order."""
    return document(hosts=_ordered(rows))


def agent_told(host: str, version: str, changes: Sequence[str]) -> str:
    """One line for what `hosts enroll` or `hosts upgrade` did on a host."""
    if not changes:
        return f"{host}: nothing to do, agent {version} is at work."
    return f"{host}: {', '.join(changes)}. Agent {version} is at work."


def _ordered(rows: Sequence[HostRow]) -> list[HostRow]:
    return sorted(rows, key=lambda row: natural(row.name))


def _cells(row: HostRow, now: datetime, paint: Palette) -> list[str]:
    labels = ",".join(f"{key}={row.labels[key]}" for key in sorted(row.labels))
    idle = paint.good("ready") if row.seen_at else paint.note("not heard of yet")
    return [
        visible(row.name),
        visible(row.address),
        visible(row.connection),
        str(row.apps),
        age(row.seen_at, now),
        visible(labels) or "-",
        paint.careful(visible(row.state)) if row.state else idle,
    ]
