"""Schedules and moments as tests write them down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.metadata import Metadata, Origin
from reconciler.model.schedules import Schedule
from reconciler.model.selector import EVERYTHING

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""


def at(text: str) -> datetime:
    """`09:30`, `2 09:30` (two days later), or a whole moment with its offset."""
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    days, _, clock = text.rpartition(" ")
    hours, minutes = clock.split(":")
    return MIDNIGHT + timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes))


def schedule(name: str = "nightly", **fields: Any) -> Schedule:
    """A schedule; every hour unless something else is said."""
    if not fields.keys() & {"cron", "every_seconds", "at", "trigger"}:
        fields["cron"] = "0 * * * *"
    return Schedule(Metadata(name, Origin("", 0)), EVERYTHING, fields.pop("job", "backup"), **fields)
