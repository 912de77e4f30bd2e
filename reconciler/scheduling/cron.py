"""Cron lines as Debian's cron means them, daylight saving included. Cronsim parses; zones are worked out here.

A line whose minute or hour begins with `*` follows elapsed time: it runs at every instant whose wall clock it names.
Any other is a fixed time: one that falls into the gap when clocks go forward runs once right after the gap, and one in
the hour that comes twice runs the first time. Source: cron(8) of Debian. Cronsim's own enumeration is not used: it
steps in whole hours (wrong on Lord Howe, whose clocks move by half an hour) and may answer with an earlier moment.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from reconciler.errors import NOWHERE, InvalidInput, Problem
from reconciler.resources.values import dataclass

LONGEST_SHIFT = timedelta(hours=3)
"""Clocks that move by more are set anew, says cron(8); no zone does so for daylight saving."""

_YEARS = 41
"""A day of the month and week comes again within 40 years, also across a century without a leap day."""
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_VALUES = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31, or L for the last",
    "month": "1 to 12, or JAN to DEC",
    "day-of-week": "0 to 7, or SUN to SAT",
}
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line in a time zone. Implements `Timing`."""

    line: Line
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC") -> Cron:
        """Read it.

        Raises:
            InvalidInput: with the code invalid-cron or cron-never.
        """
        line = parse_line(text)
        if next(line.after(datetime(2000, 1, 1)), None) is None:  # noqa: DTZ001 - a wall clock's
            raise _wrong(text, "never fires", "There is no such day in these months", "cron-never")
        return cls(line, ZoneInfo(timezone))

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment."""
        again = max(self._offset(moment) - self._offset(moment + LONGEST_SHIFT), timedelta())
        best: datetime | None = None
        for wall in self.line.after(self._wall(moment) - again):
            instants = self._instants(wall)
            later = next((instant for instant in instants if instant > moment), None)
            if later is None:
                continue
            best = later if best is None else min(best, later)
            if later == instants[0]:  # whatever the wall clock names next is later than this
                break
        return best

    def until(self, moment: datetime) -> datetime | None:
        """The last time that is not after a moment."""
        again = max(self._offset(moment - LONGEST_SHIFT) - self._offset(moment), timedelta())
        best: datetime | None = None
        for wall in self.line.until(self._wall(moment) + again):
            instants = self._instants(wall)
            earlier = next((instant for instant in reversed(instants) if instant <= moment), None)
            if earlier is None:
                continue
            best = earlier if best is None else max(best, earlier)
            if earlier == instants[-1]:
                break
        return best

    def _instants(self, wall: datetime) -> tuple[datetime, ...]:
        """When a wall clock that shows this time means that a run is due: never, once or twice; in order."""
        first, second = (wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first < second:
            return (first, second) if self.line.elapsed else (first,)
        if first > second:
            return () if self.line.elapsed else (self._gap_end(second, first),)
        return (first,)

    def _gap_end(self, before: datetime, after: datetime) -> datetime:
        """The instant between two at which the clock goes forward, to the minute."""
        old = self._offset(before)
        minutes = range(int((after - before) / _MINUTE) + 1)
        return before + bisect_left(minutes, 1, key=lambda at: self._offset(before + at * _MINUTE) != old) * _MINUTE

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta()


@dataclass(frozen=True, slots=True)
class Line:
    """What a cron line says of wall clocks, no matter where they hang."""

    days: CronSim
    """Tells which days match; never moved."""
    times: tuple[time, ...]
    """Of a day that matches."""
    elapsed: bool
    """It follows elapsed time, not fixed times."""

    def after(self, wall: datetime) -> Iterator[datetime]:
        """All times after one, ascending."""
        start = bisect_right(self.times, wall.time())
        for day in self._days(wall.date(), _DAY):
            for clock in self.times[start if day == wall.date() else 0 :]:
                yield datetime.combine(day, clock)

    def until(self, wall: datetime) -> Iterator[datetime]:
        """All times up to one, descending."""
        end = bisect_right(self.times, wall.time())
        for day in self._days(wall.date(), -_DAY):
            for clock in reversed(self.times[: end if day == wall.date() else None]):
                yield datetime.combine(day, clock)

    def _days(self, first: date, step: timedelta) -> Iterator[date]:
        day, years = first, 0
        while years < _YEARS:
            if day.month not in self.days.months:
                after = _other_month(day, step)
            else:
                if self.days.match_day(day):
                    yield day
                after = day + step
            years += after.year != day.year
            day = after


def _other_month(day: date, step: timedelta) -> date:
    """The first day of the next month, or the last one of the month before."""
    first = day.replace(day=1)
    return (first + 32 * _DAY).replace(day=1) if step > timedelta() else first - _DAY


@functools.lru_cache(maxsize=4096)
def parse_line(text: str) -> Line:
    """Read a line of five fields.

    Raises:
        InvalidInput: with the code invalid-cron.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        macro = _MACROS.get(text.strip().lower())
        hint = f'Write it out: "{macro}"' if macro else f"Five fields: {', '.join(_FIELDS)}"
        raise _wrong(text, f"has {len(fields)} fields", hint)
    try:
        days = CronSim(text, datetime(2000, 1, 1))  # noqa: DTZ001 - a wall clock's
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        if name == "day-of-month" and fields[2].isdigit() and 1 <= int(fields[2]) <= 31:
            raise _wrong(text, "never fires", "There is no such day in these months", "cron-never") from None
        hint = f"It is {_VALUES.get(name, 'a number')}; also *, 1-5, 1,3 and */2"
        raise _wrong(text, f"has a bad {name}", hint) from None
    times = tuple(time(hour, minute) for hour in sorted(days.hours) for minute in sorted(days.minutes))
    return Line(days, times, elapsed=fields[0].startswith("*") or fields[1].startswith("*"))


def _wrong(text: str, message: str, hint: str, code: str = "invalid-cron") -> InvalidInput:
    return InvalidInput(Problem(NOWHERE, f'cron "{text}" {message}', hint, code))
