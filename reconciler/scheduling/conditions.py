"""Triggers: a condition that turns true starts a run, within limits. Also for jobs that alerts start.

A condition that is not known (stale) keeps its last value. One that becomes known as true has not turned true: it may
have been so for long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from reconciler.model.scheduled import Progress
from reconciler.resources.values import dataclass, replace

Truth: TypeAlias = "bool | None"
"""None: not known."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a condition may start runs on a host."""

    cooldown_seconds: float
    max_per_hour: int


@dataclass(frozen=True, slots=True)
class Edge:
    """What a look at a condition came to.

    Args:
        progress: what is remembered from now on.
        fires: whether it starts a run now, or would but for `refused`.
        refused: why it starts none.
    """

    progress: Progress
    fires: bool = False
    refused: str = ""


def look(progress: Progress, truth: Truth, for_seconds: float, limits: Limits, now: datetime) -> Edge:
    """Watch a condition."""
    seen = _seen(progress, truth, now)
    if not seen.condition or seen.since is None or now - seen.since < timedelta(seconds=for_seconds):
        return Edge(seen)
    return fire(replace(seen, since=None), limits, now)


def _seen(progress: Progress, truth: Truth, now: datetime) -> Progress:
    if truth is None or truth == progress.condition:
        return progress
    turned = truth and progress.condition is False
    return replace(progress, condition=truth, since=now if turned else None)


def fire(progress: Progress, limits: Limits, now: datetime) -> Edge:
    """Let a condition start a run, unless it did so too often of late."""
    before = [moment for moment in progress.fired if moment <= now]
    if before and now - before[-1] < timedelta(seconds=limits.cooldown_seconds):
        return Edge(progress, fires=True, refused=f"within the cooldown after {before[-1]:%H:%M:%S} UTC")
    lately = [moment for moment in before if moment > now - _HOUR]
    if len(lately) >= limits.max_per_hour:
        return Edge(progress, fires=True, refused=f"{len(lately)} runs were started within an hour (maxPerHour)")
    return Edge(replace(progress, fired=(*lately, now)), fires=True)
