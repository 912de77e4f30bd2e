"""What happened to the fleet, newest first (`reconcile history`): when, at which revision, who, what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible
from reconciler.reports.words import listed, moment, short
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event of the journal."""

    at: datetime
    what: str
    """What happened, in words: `applied, 3 changed`."""
    revision: str = ""
    who: str = ""
    """The person or the controller that did it."""
    host: str = ""
    app: str = ""
    reason: str = ""
    done: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> what was done to it: add, change, delete, restart, reload, restored; of many the first ones."""


def done_text(done: Mapping[str, str]) -> str:
    """`add file:/a; change and restart service:b, service:c and 4 more`: resources by what was done to them."""
    alike: dict[str, list[str]] = {}
    for name, action in done.items():
        alike.setdefault(action, []).append(name)
    return "; ".join(f"{action.replace(', ', ' and ')} {listed(names)}" for action, names in alike.items())


def history_text(rows: Sequence[HistoryRow], *, color: bool) -> str:
    """A table in UTC, in the order given."""
    if not rows:
        return "Nothing has happened yet.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("TIME", "REVISION", "WHO", "HOST", "APP", "WHAT")]
    return "".join(f"{line}\n" for line in aligned([header, *(_cells(row, paint) for row in rows)]))


def history_json(rows: Sequence[HistoryRow]) -> str:
    """{"format": 1, "events": [the fields of HistoryRow...]}, in the order given."""
    return document(events=rows)


def _cells(row: HistoryRow, paint: Palette) -> list[str]:
    reason = paint.quiet(f" ({visible(row.reason)})") if row.reason else ""
    places = [visible(text) or "-" for text in (row.who, row.host, row.app)]
    return [moment(row.at), short(row.revision) if row.revision else "-", *places, f"{visible(row.what)}{reason}"]
