"""What a target gets now: as much as its rate allows, and the rest as one digest. Pure.

Called by the notifier with what waits for a target. Nothing is dropped here: what is too much or too old is counted and
listed in a digest, and a digest that cannot be sent takes in what comes after it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from reconciler.model.alerts import ActiveAlert, AlertId, Notification, Told
from reconciler.model.delivery import Backlog, Delivery, Outcome, TargetState
from reconciler.model.monitoring import Severity
from reconciler.resources.values import dataclass, replace

MAX_AGE = timedelta(hours=1)
"""A message that is older says little by itself; it becomes part of a digest."""
LEASE = timedelta(minutes=2)
"""How long a message that is being sent is left alone; longer than a turn takes."""
PER_TURN = 5
"""So that a lease covers them, and one target does not hold up the others for long."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_ASKED = timedelta(hours=1)
"""The most that a target's own wish to be left alone is believed."""
REFUSED_WAIT = timedelta(minutes=15)
"""Before trying again what was refused: someone may have mended the target."""
LISTED = 1_000
"""Alerts that a digest holds; it counts all."""
_WORST = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do now for a target."""

    send: tuple[Notification, ...]
    """In this order."""
    merged: tuple[str, ...]
    """Ids that a digest among `send` stands for."""
    state: TargetState


def pace(backlog: Backlog, per_minute: float, now: datetime) -> Turn:
    """Choose what a target gets now.

    Args:
        backlog: what waits, and what is remembered.
        per_minute: how many messages it may get.
        now: the time.
    """
    state = refilled(backlog.state, per_minute, now)
    due = [it.notification for it in backlog.waiting if is_over(it.due, now)]
    tokens = math.floor(state.tokens or 0)
    if not due or tokens < 1 or not (state.blocked_until is None or is_over(state.blocked_until, now)):
        return Turn((), (), state)
    most = 1 if state.failures else min(tokens, PER_TURN)
    send, merged = _chosen(due, tokens, math.floor((state.tokens or 0) + _inflow(per_minute)), now)
    if len(send) > most:
        send = send[:most]
        merged = merged if send[-1].told is Told.DIGEST else ()
    return Turn(tuple(send), tuple(merged), replace(state, tokens=(state.tokens or 0) - len(send)))


def _chosen(
    due: Sequence[Notification], tokens: int, within_a_minute: int, now: datetime
) -> tuple[list[Notification], Sequence[str]]:
    """All that should leave, a digest last, and the ids that it stands for.

    What can leave within a minute waits for its turn; of more, what has no token now becomes a digest.
    """
    ordered = sorted(due, key=lambda it: (it.created_at, it.id))
    apart = [it for it in ordered if not _belongs_together(it, now)]
    together = [it for it in ordered if _belongs_together(it, now)]
    if len(apart) + bool(together) > within_a_minute:
        apart, together = apart[: tokens - 1], [*together, *apart[tokens - 1 :]]
    if not together:
        return apart, ()
    if len(together) == 1 and together[0].told is Told.DIGEST:
        return [*apart, together[0]], ()
    return [*apart, digest(together, now)], [it.id for it in together]


def _belongs_together(notification: Notification, now: datetime) -> bool:
    return notification.told is Told.DIGEST or now - notification.created_at > MAX_AGE


def digest(notifications: Sequence[Notification], now: datetime) -> Notification:
    """One message for many: how many they are, and how each alert stands in the latest of them."""
    latest: dict[AlertId, ActiveAlert] = {}
    for alert in (alert for it in notifications for alert in it.alerts):
        known = latest.get(alert.id)
        if known is None or known.since <= alert.since:
            latest[alert.id] = alert
    ids = hashlib.sha256("\n".join(sorted(it.id for it in notifications)).encode()).hexdigest()
    return Notification(
        id=f"digest-{ids[:24]}",
        channel=notifications[0].channel,
        told=Told.DIGEST,
        alerts=tuple(sorted(latest.values(), key=urgency)[:LISTED]),
        created_at=now,
        count=sum(max(it.count, 1) for it in notifications),
    )


def urgency(alert: ActiveAlert) -> tuple[bool, int, str]:
    """A key to sort by: what fires before what is over, the worst first."""
    return not alert.state.told, _WORST[alert.severity], str(alert.id)


def refilled(state: TargetState, per_minute: float, now: datetime) -> TargetState:
    """The bucket with the tokens that came in since."""
    most = _capacity(per_minute)
    if state.tokens is None or state.counted_at is None:
        return replace(state, tokens=most, counted_at=now)
    elapsed = max(0.0, (now - state.counted_at).total_seconds())
    return replace(state, tokens=min(most, state.tokens + elapsed * _inflow(per_minute) / 60), counted_at=now)


def _capacity(per_minute: float) -> float:
    """Messages that may leave at once: a quarter of a minute's."""
    return max(1.0, per_minute / 4)


def _inflow(per_minute: float) -> float:
    """Tokens a minute: with a full bucket at its start, no minute sees more messages than the rate."""
    return per_minute - (_capacity(per_minute) - 1)


def after(state: TargetState, delivery: Delivery, now: datetime) -> TargetState:
    """What is remembered once an attempt ended."""
    match delivery.outcome:
        case Outcome.SENT:
            return replace(state, failures=0, reason="", blocked_until=None)
        case Outcome.REFUSED:
            return replace(state, reason=delivery.reason)
        case Outcome.LATER:
            failures = state.failures + 1
            until = now + _wait(failures, delivery.retry_after_seconds)
            return replace(state, failures=failures, reason=delivery.reason, blocked_until=until)


def _wait(failures: int, asked_seconds: float | None) -> timedelta:
    if asked_seconds is not None:
        return min(max(timedelta(seconds=asked_seconds), timedelta(seconds=1)), LONGEST_ASKED)
    doublings: int = min(failures - 1, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def is_over(until: datetime, now: datetime) -> bool:
    """Whether a wait has passed; one that is longer than any that we set means that the clock was set back."""
    return until <= now or until - now > LONGEST_ASKED
