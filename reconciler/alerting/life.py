"""The life of one alert, one sample after the other: inactive -> pending -> firing -> recovering -> resolved.

Called by `evaluation` for hosts and by `staleness`. Time counts only between samples that could tell, so that a
collector that was stopped, or a clock that jumped, makes no alert fire and none resolve.
"""

from __future__ import annotations

from datetime import datetime

from reconciler.model.alerts import AlertState
from reconciler.resources.values import dataclass

_ROUNDING_SECONDS = 1e-6
_SHORTEST_STALE_SECONDS = 30.0
_STALE_INTERVALS = 3.0


def stale_after(interval_seconds: float) -> float:
    """After how many seconds without a sample nothing is known any more."""
    return max(_STALE_INTERVALS * interval_seconds, _SHORTEST_STALE_SECONDS)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an alert is, and for how long it has been there without a gap."""

    state: AlertState = AlertState.INACTIVE
    held_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What a sample says of a rule; None: it cannot tell."""

    wrong: bool | None
    over: bool | None
    """Whether what was wrong is over; where a rule has a `clear` of its own, both can be false."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a rule waits before it fires, and before it is over."""

    for_seconds: float
    keep_firing_seconds: float


def counted(last: datetime | None, now: datetime, gap_seconds: float) -> float:
    """Seconds since the last sample; 0 across a gap, and where the clock was set back."""
    elapsed = (now - last).total_seconds() if last else 0.0
    return elapsed if 0.0 <= elapsed <= gap_seconds else 0.0


def advance(before: Stage, truth: Truth, patience: Patience, elapsed_seconds: float) -> Stage:
    """The next stage. What cannot be told changes nothing."""
    known = truth.over if before.state.told else truth.wrong
    if known is None:
        return before
    match before.state:
        case AlertState.FIRING:
            return _waited(AlertState.RECOVERING, 0.0, patience) if known else before
        case AlertState.RECOVERING:
            held = before.held_seconds + elapsed_seconds
            return _waited(AlertState.RECOVERING, held, patience) if known else Stage(AlertState.FIRING)
        case AlertState.PENDING:
            held = before.held_seconds + elapsed_seconds
            return _waited(AlertState.PENDING, held, patience) if known else Stage()
        case AlertState.INACTIVE | AlertState.RESOLVED:
            return _waited(AlertState.PENDING, 0.0, patience) if known else before


def _waited(state: AlertState, held: float, patience: Patience) -> Stage:
    """A stage that waits, or the one after it where it has waited long enough."""
    pending = state is AlertState.PENDING
    enough = patience.for_seconds if pending else patience.keep_firing_seconds
    if held + _ROUNDING_SECONDS < enough:
        return Stage(state, held)
    return Stage(AlertState.FIRING if pending else AlertState.RESOLVED)
