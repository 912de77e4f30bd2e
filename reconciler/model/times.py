"""Times of the week and spans of time in which something holds: silences, freezes, a channel's active times."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from reconciler.resources.values import dataclass

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Spans of the day on some weekdays, by the wall clock of a zone."""

    weekdays: frozenset[int]
    """0 is Monday, as `datetime.weekday` counts."""
    spans: tuple[tuple[time, time], ...]
    """From (included) to (excluded); one that does not end after it starts lasts past midnight, for its own day."""
    timezone: str = "UTC"

    def holds(self, now: datetime) -> bool:
        """Whether `now` (aware) lies in one of the spans."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - only where something depends on a time zone

        local = now.astimezone(ZoneInfo(self.timezone))
        today, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
        clock = local.time()
        return any(self._within(clock, span, today, yesterday) for span in self.spans)

    def _within(self, clock: time, span: tuple[time, time], today: int, yesterday: int) -> bool:
        start, end = span
        if start < end:
            return today in self.weekdays and start <= clock < end
        return (today in self.weekdays and clock >= start) or (yesterday in self.weekdays and clock < end)


@dataclass(frozen=True, slots=True)
class Window:
    """When something holds: from one moment until another, or at times of the week."""

    start: datetime | None = None
    end: datetime | None = None
    weekly: tuple[Weekly, ...] = ()

    def holds(self, now: datetime) -> bool:
        """Whether `now` (aware) lies within."""
        if self.weekly:
            return any(each.holds(now) for each in self.weekly)
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)
