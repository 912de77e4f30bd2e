"""Sends what the monitor put into the outbox: to every target of its channel, at least once, as fast as it takes them.

One `tick()` hands new notifications to the targets of their channels, then works on all targets that have something
due, side by side. What to send now and what to merge is decided in `alerting.pacing`, the text in `alerting.messages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Protocol, TypeAlias

from reconciler.alerting.messages import compose
from reconciler.alerting.pacing import LEASE, REFUSED_WAIT, after, is_over, pace
from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.log import Log, SaidOnce
from reconciler.model.alerts import Notification
from reconciler.model.delivery import Backlog, Delivery, Message, Outcome, Style, Target
from reconciler.model.manifests import Manifests
from reconciler.model.metadata import Value
from reconciler.model.monitoring import Channel
from reconciler.resources.values import dataclass, replace
from reconciler.store import Store
from reconciler.store.deliveries import Taken

AT_ONCE = 8
"""Targets that are worked on side by side."""


Resolve: TypeAlias = Callable[[Iterable[str]], Mapping[str, str]]
"""Secrets by path; raises InvalidInput for those that are not found."""


class OpenUrl(Protocol):
    """See `notify.urls.Open`."""

    @property
    def schema(self) -> str: ...

    @property
    def style(self) -> Style: ...

    @property
    def recipients(self) -> int: ...

    def send(self, message: Message) -> Delivery: ...


@dataclass(frozen=True, slots=True)
class _Work:
    """One turn at one target."""

    target: Target
    channel: Channel
    backlog: Backlog


class Notifier:
    """Empties the outbox.

    Args:
        store: holds the outbox and what each target still lacks.
        open_url: opens a URL; raises InvalidInput for one that nobody can use.
        per_minute: messages that a service takes, by the schema of its URLs.
        resolve: secrets by path, asked anew for every turn.
        clock: where time comes from.
        log: is told what arrives, and what does not.
    """

    def __init__(
        self,
        store: Store,
        open_url: Callable[[str], OpenUrl],
        *,
        per_minute: Callable[[str], float],
        resolve: Resolve,
        clock: Clock,
        log: Log,
    ) -> None:
        self._store = store
        self._open_url = open_url
        self._per_minute = per_minute
        self._resolve = resolve
        self._clock = clock
        self._log = log
        self._said = SaidOnce()

    def tick(self, manifests: Manifests) -> int:
        """One turn at everything that is due; returns how many messages arrived.

        Raises:
            Unavailable: Redis cannot be reached; what was sent then and not recorded is sent once more.
        """
        self._spread(manifests.channels)
        work = list(self._due(manifests.channels))
        if not work:
            return 0
        with ThreadPoolExecutor(min(AT_ONCE, len(work)), "notifier") as pool:
            return sum(pool.map(partial(self._carry_out, manifests), work))

    def _spread(self, channels: Mapping[str, Channel]) -> None:
        """Hand what is new to the targets of its channel."""
        targets: dict[str, Sequence[str]] = {}
        for notification in self._store.outbox.waiting():
            channel = channels.get(notification.channel)
            if channel is None:
                self._log.warning("channel-gone", channel=notification.channel, notification=notification.id)
            targets[notification.id] = [target.id for target in targets_of(channel)] if channel else []
        if targets:
            self._store.deliveries.spread(targets, self._clock.now())

    def _due(self, channels: Mapping[str, Channel]) -> Iterator[_Work]:
        found = {target.id: (target, channel) for channel in channels.values() for target in targets_of(channel)}
        now = self._clock.now()
        for name, backlog in self._store.deliveries.backlogs(sorted(found)).items():
            blocked = backlog.state.blocked_until
            if any(is_over(it.due, now) for it in backlog.waiting) and (blocked is None or is_over(blocked, now)):
                yield _Work(*found[name], backlog)

    def _carry_out(self, manifests: Manifests, work: _Work) -> int:
        """Send to a target what its pace allows; returns how many messages arrived."""
        deliveries, now = self._store.deliveries, self._clock.now()
        target, backlog = work.target, work.backlog
        try:
            url = self._open(target)
        except ReconcilerError as error:
            cannot = Delivery(Outcome.LATER, str(error))
            self._told(target, cannot)
            deliveries.take(target.id, backlog, after(backlog.state, cannot, now), send=(), merged=(), until=now)
            return 0
        turn = pace(backlog, work.channel.rate_per_minute or self._per_minute(url.schema), now)
        if not turn.send:
            return 0
        taken = deliveries.take(target.id, backlog, turn.state, send=turn.send, merged=turn.merged, until=now + LEASE)
        return self._send(work, url, taken, turn.send, manifests) if taken else 0

    def _open(self, target: Target) -> OpenUrl:
        """The target's URL, with its secret as it is now."""
        return self._open_url(clear(target.url, self._resolve))

    def _send(self, work: _Work, url: OpenUrl, taken: Taken, send: Sequence[Notification], manifests: Manifests) -> int:
        """Send one after the other; when the target can take no more, the others are left for later."""
        state, arrived = taken.state, 0
        for sent, notification in enumerate(send):
            delivery = url.send(self._text(notification, work.channel, url.style, manifests))
            self._told(work.target, delivery, notification)
            now = self._clock.now()
            state = after(state, delivery, now)
            ended: dict[str, datetime | None] = {notification.id: None}
            arrived += delivery.outcome is Outcome.SENT
            if delivery.outcome is Outcome.REFUSED:
                ended[notification.id] = now + REFUSED_WAIT
            elif delivery.outcome is Outcome.LATER:
                left = send[sent:]
                ended = dict.fromkeys([it.id for it in left], now)
                state = replace(state, tokens=(state.tokens or 0) + len(left) - 1)
            self._store.deliveries.settle(taken, state, ended)
            if delivery.outcome is Outcome.LATER:
                break
        return arrived

    def _text(self, notification: Notification, channel: Channel, style: Style, manifests: Manifests) -> Message:
        """What is sent; a template that fails is told, and costs nobody the message."""
        fleet, now = manifests.fleet.metadata.name, self._clock.now()
        template, templates = channel.template, manifests.templates
        message, wrong = compose(notification, style, template=template, templates=templates, fleet=fleet, now=now)
        subject = f"template {channel.name}"
        if wrong:
            self._said.say(subject, self._log.error, "template-failed", channel=channel.name, error=str(wrong))
        else:
            self._said.over(subject)
        return message

    def _told(self, target: Target, delivery: Delivery, notification: Notification | None = None) -> None:
        """Log how an attempt ended: failures once for as long as they are the same."""
        about = {"channel": target.channel, "url": target.number}
        if delivery.outcome is not Outcome.SENT:
            self._said.say(target.id, self._log.error, "not-notified", **about, reason=delivery.reason)
            return
        self._said.over(target.id)
        if notification:
            self._log.info("notified", **about, told=notification.told.value, alerts=len(notification.alerts))


def clear(url: Value, resolve: Resolve) -> str:
    """A URL of the manifests, which may be a secret, as it is now.

    Raises:
        InvalidInput: the secret is not found.
        Unavailable: who knows it did not answer.
    """
    return resolve([url["secret"]])[url["secret"]] if isinstance(url, Mapping) else str(url)


def targets_of(channel: Channel) -> Sequence[Target]:
    """The URLs of a channel, each once."""
    targets = [Target(channel.name, url, number) for number, url in enumerate(channel.urls, 1)]
    return tuple({target.id: target for target in targets}.values())
