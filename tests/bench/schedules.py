"""10,000 schedules on 10 hosts each: what finding the next due runs costs, and what knowing all of them costs first.

`python -m tests.bench` calls `measure`. The schedules are daily, at times and in zones spread evenly, with jitter, so
that some are due every minute.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from reconciler.model.metadata import Metadata, Origin
from reconciler.model.scheduled import Progress
from reconciler.model.schedules import Schedule
from reconciler.model.selector import EVERYTHING
from reconciler.scheduling.agenda import Agenda
from reconciler.scheduling.deciding import Circumstances, step
from reconciler.scheduling.identity import offset
from reconciler.scheduling.timing import timing_of

SCHEDULES, HOSTS = 10_000, 10
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe")
START = datetime(2026, 3, 2, tzinfo=UTC)
TURNS = 60

Line = tuple[str, str]


def measure() -> dict[str, float]:
    """Seconds of the slowest turn of an hour of turns a minute apart, its runs, and seconds to begin with."""
    schedules = {schedule.name: schedule for schedule in _schedules()}
    began = time.perf_counter()
    timings = {name: timing_of(schedule) for name, schedule in schedules.items()}
    agenda: Agenda[Line] = Agenda()
    progress: dict[Line, Progress] = {}
    for name, schedule in schedules.items():
        timing = timings[name]
        nominal = timing.after(START) if timing else None
        for number in range(HOSTS):
            line = name, f"web-{number}"
            progress[line] = Progress(START)
            agenda.put(line, nominal + offset(*line, schedule.jitter_seconds) if nominal else None)
    first = time.perf_counter() - began
    slowest, most = 0.0, 0
    for minute in range(1, TURNS + 1):
        now = START + timedelta(minutes=minute)
        began = time.perf_counter()
        lines = agenda.take(now)
        for line in lines:
            schedule, timing = schedules[line[0]], timings[line[0]]
            given = Circumstances(now, offset=offset(*line, schedule.jitter_seconds))
            progress[line] = step(schedule, timing, progress[line], given).progress
            nominal = timing.after(progress[line].watermark) if timing else None
            agenda.put(line, nominal + offset(*line, schedule.jitter_seconds) if nominal else None)
        slowest, most = max(slowest, time.perf_counter() - began), max(most, len(lines))
    return {"first": first, "slowest": slowest, "most": float(most)}


def _schedules() -> Iterator[Schedule]:
    for number in range(SCHEDULES):
        cron, zone = f"{number % 60} {number // 60 % 24} * * *", ZONES[number % len(ZONES)]
        metadata = Metadata(f"schedule-{number}", Origin("", 0))
        yield Schedule(metadata, EVERYTHING, "backup", cron=cron, timezone=zone, jitter_seconds=300)
