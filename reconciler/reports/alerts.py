"""Alerts, silences and metrics as lists (`reconcile alerts list`, `silence list`, `alerts metrics`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from reconciler.loops.monitoring.alert_board import Sight
from reconciler.model.alerts import AlertState
from reconciler.model.metrics import Metric
from reconciler.model.monitoring import Severity, Silence
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import age, count, moment, natural

_ORDER = (AlertState.FIRING, AlertState.RECOVERING, AlertState.PENDING, AlertState.RESOLVED)


def alerts_text(sights: Sequence[Sight], *, now: datetime, color: bool) -> str:
    """A table, what fires first; the last line counts what fires."""
    if not sights:
        return "No alerts.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("STATE", "SINCE", "ALERT", "SEVERITY", "VALUE", "SUMMARY")]
    lines = aligned([header, *(_cells(sight, now, paint) for sight in sorted(sights, key=_rank))])
    firing = sum(sight.alert.state.told for sight in sights)
    untold = sum(sight.alert.state.told and bool(sight.muted) for sight in sights)
    last = f"{count(firing, 'alert')} {'fires' if firing == 1 else 'fire'}"
    last += f", {untold} of them told to nobody." if untold else "."
    return "".join(f"{line}\n" for line in [*lines, "", paint.strong(last)])


def alerts_json(sights: Sequence[Sight]) -> str:
    """{"format": 1, "alerts": [{"id": text, "muted", "acknowledged", and the fields of ActiveAlert...}]}."""
    rows = []
    for sight in sorted(sights, key=_rank):
        alert = sight.alert
        rows.append(
            {
                "id": str(alert.id),
                "alert": alert.id.rule,
                "host": alert.id.host,
                "instance": alert.id.instance,
                "state": alert.state,
                "since": alert.since,
                "started_at": alert.started_at,
                "severity": alert.severity,
                "value": alert.value,
                "summary": alert.summary,
                "labels": alert.labels,
                "runbook_url": alert.runbook_url,
                "stale": alert.stale,
                "reason": alert.reason,
                "muted": sight.muted,
                "acknowledged": sight.acknowledged,
            }
        )
    return document(alerts=rows)


def silences_text(silences: Iterable[Silence], *, now: datetime, color: bool) -> str:
    """A table; those of the manifests have nobody in BY."""
    rows = list(silences)
    if not rows:
        return "No silences.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("NAME", "STATE", "MATCH", "UNTIL", "BY", "REASON")]
    lines = aligned([header, *(_silence_cells(silence, now, paint) for silence in rows)])
    return "".join(f"{line}\n" for line in lines)


def silences_json(silences: Iterable[Silence], *, now: datetime) -> str:
    """{"format": 1, "silences": [{"name", "state", "match", "from", "until", "by", "reason"}]}."""
    rows = [
        {
            "name": it.name,
            "state": _state(it, now),
            "match": str(it.match),
            "from": it.window.start,
            "until": it.window.end,
            "by": it.by,
            "reason": it.reason,
        }
        for it in silences
    ]
    return document(silences=rows)


def metrics_text(metrics: Iterable[Metric], *, color: bool) -> str:
    """A table of names with what they are."""
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("METRIC", "EACH", "WHAT")]
    lines = aligned([header, *([metric.name, metric.each or "-", metric.about] for metric in metrics)])
    return "".join(f"{line}\n" for line in lines)


def metrics_json(metrics: Sequence[Metric]) -> str:
    """{"format": 1, "metrics": [the fields of Metric...]}."""
    return document(metrics=metrics)


def _rank(sight: Sight) -> tuple[int, int, object]:
    """What fires first, the most severe first."""
    alert = sight.alert
    return _ORDER.index(alert.state), list(Severity).index(alert.severity), natural(str(alert.id))


def _cells(sight: Sight, now: datetime, paint: Palette) -> list[str]:
    alert = sight.alert
    notes = [*([f"({sight.muted})"] if sight.muted else []), *(["(no fresh samples)"] if alert.stale else [])]
    if sight.acknowledged:
        why = f": {sight.acknowledged.reason}" if sight.acknowledged.reason else ""
        notes.append(f"(acknowledged by {sight.acknowledged.by}{why})")
    if alert.reason and alert.state is AlertState.RESOLVED:
        notes.append(f"({alert.reason})")
    value = "-" if alert.value is None else f"{alert.value:.6g}"
    said = visible_lines(alert.summary)[0] if alert.summary else ""
    return [
        _painter(sight, paint)(alert.state.value),
        age(alert.since, now),
        visible(str(alert.id)),
        alert.severity.value,
        value,
        " ".join([said, *map(visible, notes)]).strip(),
    ]


def _painter(sight: Sight, paint: Palette) -> Callable[[str], str]:
    match sight.alert.state:
        case AlertState.RESOLVED:
            return paint.good
        case AlertState.PENDING:
            return paint.note
    return paint.quiet if sight.muted else paint.bad


def _silence_cells(silence: Silence, now: datetime, paint: Palette) -> list[str]:
    state = _state(silence, now)
    return [
        visible(silence.name),
        paint.careful(state) if state == "active" else paint.quiet(state),
        visible(str(silence.match)),
        moment(silence.window.end) if silence.window.end else "at its times",
        visible(silence.by) or "-",
        visible(silence.reason),
    ]


def _state(silence: Silence, now: datetime) -> str:
    if silence.window.holds(now):
        return "active"
    over = silence.window.end is not None and silence.window.end <= now
    return "over" if over else "waiting"
