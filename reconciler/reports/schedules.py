"""When jobs run, what became of the last runs and why (`reconcile schedules list`, `schedules next`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reconciler.loops.scheduling.view import ScheduleView
from reconciler.model.scheduled import Decision, Outcome
from reconciler.model.schedules import RunOn, Schedule
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import duration, listed, moment

_SHOWN = 3
"""Decisions of a schedule without -v."""


def schedules_text(views: Sequence[ScheduleView], *, color: bool, everything: bool = False) -> str:
    """A table, and below each schedule what became of its last runs."""
    if not views:
        return "No schedules.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("SCHEDULE", "JOB", "WHEN", "HOSTS", "LAST", "NEXT")]
    lines = iter(aligned([header, *(_cells(view, paint) for view in views)]))
    told = [next(lines)]
    for view, line in zip(views, lines, strict=True):
        told += [line, *(f"  {each}" for each in _notes(view, paint, everything=everything))]
    return "".join(f"{line}\n" for line in told)


def schedules_json(views: Sequence[ScheduleView]) -> str:
    """{"format": 1, "schedules": [...]}: times in UTC, `recent` newest first."""
    return document(schedules=[_row(view) for view in views])


def times_text(schedule: Schedule, times: Sequence[datetime]) -> str:
    """A line for each time: by the clock of the zone, then in UTC."""
    if not times:
        why = "it waits for its condition" if schedule.trigger else "its time is over"
        return f"{visible(schedule.name)} is not due at any time: {why}.\n"
    zone = ZoneInfo(schedule.timezone)
    rows = [[f"{time.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}", moment(time)] for time in times]
    jitter = schedule.jitter_seconds
    spread = [f"Each host starts up to {duration(jitter)} later, always by the same time."] if jitter else []
    return "".join(f"{line}\n" for line in (*aligned(rows), *spread))


def times_json(schedule: Schedule, times: Sequence[datetime]) -> str:
    """{"format": 1, "schedule": name, "timezone": zone, "times": [{"local", "utc"}...]}."""
    zone = ZoneInfo(schedule.timezone)
    rows = [{"local": time.astimezone(zone).isoformat(), "utc": time} for time in times]
    return document(schedule=schedule.name, timezone=schedule.timezone, times=rows)


def when(schedule: Schedule) -> str:
    """What the manifest says of its times."""
    zone = "" if schedule.timezone == "UTC" else f" {schedule.timezone}"
    if schedule.cron is not None:
        return f"{visible(schedule.cron)}{zone}"
    if schedule.every_seconds is not None:
        return f"every {duration(schedule.every_seconds)}"
    if schedule.at is not None:
        return f"at {moment(schedule.at)}"
    trigger = schedule.trigger
    alert = trigger.alert if trigger else None
    return f"alert {alert}" if alert else f"when {visible(trigger.expr or '') if trigger else ''}"


def _cells(view: ScheduleView, paint: Palette) -> list[str]:
    one = "one of " if view.schedule.run_on is RunOn.ONE else ""
    return [
        paint.strong(visible(view.name)),
        visible(view.schedule.job),
        when(view.schedule),
        f"{one}{listed(view.hosts) or 'none'}",
        _last(view),
        paint.careful("suspended") if _suspended(view) else moment(view.next),
    ]


def _last(view: ScheduleView) -> str:
    started = next((each for each in view.recent if each.outcome is Outcome.STARTED), None)
    if started is None:
        return "never"
    states = Counter(state.value for _, state in view.last_states)
    if not states:
        return moment(started.last)
    if len(states) == 1:
        return f"{moment(started.last)} {next(iter(states))}"
    return f"{moment(started.last)} {', '.join(f'{number} {state}' for state, number in sorted(states.items()))}"


def _suspended(view: ScheduleView) -> bool:
    return view.suspension is not None or view.schedule.suspend


def _notes(view: ScheduleView, paint: Palette, *, everything: bool) -> Iterator[str]:
    if view.suspension:
        reason = f": {visible(view.suspension.reason)}" if view.suspension.reason else ""
        yield paint.careful(f"suspended by {visible(view.suspension.by)} at {moment(view.suspension.at)}{reason}")
    if view.held:
        yield paint.careful(f"{moment(view.held.nominal)} waits: {visible(view.held.reason)}")
    shown = view.recent if everything else [each for each in view.recent[:_SHOWN] if each.reason]
    for decision in shown:
        yield _told(decision, paint)


def _told(decision: Decision, paint: Palette) -> str:
    span = moment(decision.first)
    if decision.first != decision.last:
        span += f" to {moment(decision.last)}"
    where = f" on {listed(decision.hosts)}" if decision.hosts else ""
    reason = f": {visible_lines(decision.reason)[0]}" if decision.reason else f" {decision.run}"
    colour = paint.bad if decision.outcome is Outcome.FAILED else paint.quiet
    return colour(f"{span} {decision.outcome.value}{where}{reason}")


def _row(view: ScheduleView) -> Mapping[str, Any]:
    return {
        "name": view.name,
        "job": view.schedule.job,
        "when": when(view.schedule),
        "timezone": view.schedule.timezone,
        "runOn": view.schedule.run_on,
        "hosts": view.hosts,
        "next": view.next,
        "suspended": _suspended(view),
        "suspension": view.suspension,
        "held": view.held,
        "recent": view.recent,
        "lastStates": dict(view.last_states),
    }
