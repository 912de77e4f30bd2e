"""Notifications on their way: to whom, as which text, with what result, and what waits for which target."""

from __future__ import annotations

import enum
import hashlib
import json
from datetime import datetime

from reconciler.model.alerts import Notification
from reconciler.model.metadata import Value
from reconciler.resources.values import dataclass


class Style(enum.Enum):
    """How much text a target takes, and in which language."""

    SHORT = "short"
    """One line, as in an SMS."""
    PLAIN = "plain"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads."""

    subject: str
    body: str
    style: Style = Style.PLAIN
    over: bool = False
    """It says only that something is over; services show that in another colour."""


@dataclass(frozen=True, slots=True)
class Target:
    """One URL of a channel."""

    channel: str
    url: Value
    """Text, or a secret's reference."""
    number: int = 1
    """Which of the channel's URLs it is, for people."""

    @property
    def id(self) -> str:
        """The same as long as the channel names this URL, wherever in its list; tells nothing of the URL."""
        written = json.dumps(self.url, sort_keys=True)
        return f"{self.channel}:{hashlib.sha256(written.encode()).hexdigest()[:12]}"

    def __str__(self) -> str:
        return f"{self.channel} (URL {self.number})"


class Outcome(enum.Enum):
    """What became of an attempt to send."""

    SENT = "sent"
    LATER = "later"
    """The target is busy, limits us or cannot be reached: the same message may pass later."""
    REFUSED = "refused"
    """The target does not want it: a wrong key, a recipient that does not exist, a message that it cannot read."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an attempt ended."""

    outcome: Outcome
    reason: str = ""
    """Without any part of the target's URL."""
    retry_after_seconds: float | None = None
    """As the target asked."""


SENT = Delivery(Outcome.SENT)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification that a target has not got yet."""

    notification: Notification
    due: datetime
    """Not to be tried before, because it was tried, or because someone is sending it just now."""

    @property
    def id(self) -> str:
        return self.notification.id


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is remembered of a target from one turn to the next."""

    tokens: float | None = None
    """Messages that it may get at once; None: as many as its bucket holds."""
    counted_at: datetime | None = None
    """When these were the tokens."""
    blocked_until: datetime | None = None
    """It could not take messages, and is left alone until then."""
    failures: int = 0
    """Attempts since it last took a message."""
    reason: str = ""
    """Why the last attempt failed; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that waits for a target."""

    waiting: tuple[Waiting, ...] = ()
    """The ones that are due first come first; of very many only these."""
    state: TargetState = TargetState()
    version: int = 0
    """Grows with every turn, so that of two notifiers only one takes it."""
