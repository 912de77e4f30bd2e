"""When a schedule is due by time: a cron line, a period, or one moment. Triggers have no times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reconciler.model.schedules import Schedule
from reconciler.resources.values import dataclass
from reconciler.scheduling.cron import Cron

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Timing(Protocol):
    """Nominal times, as aware UTC datetimes; what both methods cost does not depend on how far apart they lie."""

    def after(self, moment: datetime) -> datetime | None:
        """The first one after a moment; None: there is none any more."""
        ...

    def until(self, moment: datetime) -> datetime | None:
        """The last one that is not after a moment."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Every so often, counted from midnight 1970 UTC, so that it does not depend on when anyone began to count."""

    period: timedelta

    def after(self, moment: datetime) -> datetime | None:
        return _EPOCH + ((moment - _EPOCH) // self.period + 1) * self.period

    def until(self, moment: datetime) -> datetime | None:
        return _EPOCH + (moment - _EPOCH) // self.period * self.period


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    moment: datetime

    def after(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment > moment else None

    def until(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment <= moment else None


def timing_of(schedule: Schedule) -> Timing | None:
    """The times of a schedule; None: it waits for a condition."""
    if schedule.cron is not None:
        return Cron.parse(schedule.cron, schedule.timezone)
    if schedule.every_seconds is not None:
        return Every(timedelta(seconds=schedule.every_seconds))
    return At(schedule.at) if schedule.at is not None else None


def upcoming(timing: Timing, moment: datetime) -> Iterator[datetime]:
    """All times after a moment, in order."""
    found = timing.after(moment)
    while found is not None:
        yield found
        found = timing.after(found)
