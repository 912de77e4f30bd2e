"""Whom to tell what, and when: alerts and what was told before in, notifications and what is told now out. Pure.

Called by the monitor at every turn. It looks at states, not at events: a turn that never happened loses nothing, and
the same states give the same notifications with the same ids. How they are sent is the notifier's.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from reconciler.alerting.muting import selects
from reconciler.model.alerts import (
    Acknowledgement,
    ActiveAlert,
    AlertId,
    AlertState,
    Notification,
    Told,
)
from reconciler.model.monitoring import HOST_STALE, Channel
from reconciler.resources.values import dataclass, field, replace

NOT_REPORTED = "it is no longer reported"
_HOST = "host"


class Group(NamedTuple):
    """Alerts that share messages of a channel: those whose labels in its groupBy are equal."""

    channel: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """What a channel was told of a group."""

    since: datetime
    """When there was something to tell for the first time."""
    told_at: datetime | None = None
    """None: nothing was told yet."""
    told: Mapping[AlertId, ActiveAlert] = field(default_factory=dict)
    """The alerts that were told as firing, as they were then; of each, the end is still to be told."""


@dataclass(frozen=True, slots=True)
class RoutingInput:
    """Everything that routing rests on.

    Args:
        alerts: all alerts, resolved ones too. One that is not there is over.
        muted: those that nobody is told of.
        memory: what was told before.
    """

    alerts: Mapping[AlertId, ActiveAlert]
    channels: Sequence[Channel]
    now: datetime
    muted: Collection[AlertId] = ()
    acknowledged: Mapping[AlertId, Acknowledgement] = field(default_factory=dict)
    memory: Mapping[Group, GroupMemory] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routing:
    """The messages to send, and what is told once they are."""

    notifications: tuple[Notification, ...]
    memory: Mapping[Group, GroupMemory]


def acknowledged(alert: ActiveAlert, acknowledgements: Mapping[AlertId, Acknowledgement]) -> bool:
    """Whether someone looks after the alert since it began to fire."""
    found = acknowledgements.get(alert.id)
    return found is not None and found.started_at == alert.started_at


def route(given: RoutingInput) -> Routing:
    """Group, wait, tell, repeat, and say when it is over where it was said that it began."""
    members = _members(given)
    channels = {channel.name: channel for channel in given.channels}
    notifications: list[Notification] = []
    memory: dict[Group, GroupMemory] = {}
    for group in sorted(members.keys() | given.memory.keys()):
        channel = channels.get(group.channel)
        if channel is None:
            continue
        turn = _Turn(channel, group, members.get(group, ()), given)
        notification, after = turn.take()
        if notification:
            notifications.append(notification)
        if after:
            memory[group] = after
    return Routing(tuple(notifications), memory)


def _members(given: RoutingInput) -> Mapping[Group, Sequence[ActiveAlert]]:
    """The firing alerts that each group is to be told of."""
    found: defaultdict[Group, list[ActiveAlert]] = defaultdict(list)
    open_now = {channel.name: is_open(channel, given.now) for channel in given.channels}
    for alert in given.alerts.values():
        if alert.state.told and alert.id not in given.muted:
            for channel in _takers(alert, given, open_now):
                found[Group(channel.name, _group_labels(channel, alert))].append(alert)
    return found


def _takers(alert: ActiveAlert, given: RoutingInput, open_now: Mapping[str, bool]) -> Iterable[Channel]:
    """The channels that an alert goes to: all that match, and a fallback where none of them takes it now."""
    matching = [channel for channel in given.channels if selects(channel.match, alert)]
    taken = any(open_now[it.name] for it in matching if not it.fallback and not it.after_seconds)
    for channel in matching:
        if (channel.fallback and taken) or not _escalated(channel, alert, given):
            continue
        yield channel


def _escalated(channel: Channel, alert: ActiveAlert, given: RoutingInput) -> bool:
    """Whether an alert has waited as long as the channel asks, and nobody looks after it."""
    if not channel.after_seconds:
        return True
    waited = (given.now - (alert.started_at or alert.since)).total_seconds()
    return waited >= channel.after_seconds and not acknowledged(alert, given.acknowledged)


def is_open(channel: Channel, now: datetime) -> bool:
    """Whether the channel takes messages at this time of the week."""
    return not channel.active_times or any(weekly.holds(now) for weekly in channel.active_times)


def _group_labels(channel: Channel, alert: ActiveAlert) -> tuple[tuple[str, str], ...]:
    """The labels of an alert that its group shares. Hosts that go stale at once are one group in any case."""
    names = channel.group_by
    if alert.id.rule == HOST_STALE and _HOST in names:
        names = tuple(name for name in names if name != _HOST) or ("alert",)
    return tuple((name, alert.labels.get(name, "")) for name in names)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One group at one moment."""

    channel: Channel
    group: Group
    members: Sequence[ActiveAlert]
    given: RoutingInput

    def take(self) -> tuple[Notification | None, GroupMemory | None]:
        """What is told now, and what is remembered; None: nothing."""
        memory = self.given.memory.get(self.group)
        told = memory.told if memory else {}
        over = {alert_id: alert for alert_id, alert in told.items() if not self._fires(alert_id)}
        if over and not self.channel.send_resolved:
            told, over = {name: alert for name, alert in told.items() if name not in over}, {}
        if not (self.members or told):
            return None, None
        memory = replace(memory, told=told) if memory else GroupMemory(self.given.now)
        if not (is_open(self.channel, self.given.now) and self._due(memory, over)):
            return None, memory
        resolved = [self._resolved(alert) for _, alert in sorted(over.items(), key=lambda pair: str(pair[0]))]
        kept = {name: alert for name, alert in told.items() if name not in over}
        after = GroupMemory(memory.since, self.given.now, kept | {alert.id: alert for alert in self.members})
        return self._notification(memory, resolved), after if after.told else None

    def _fires(self, alert_id: AlertId) -> bool:
        alert = self.given.alerts.get(alert_id)
        return alert is not None and alert.state.told

    def _due(self, memory: GroupMemory, over: Mapping[AlertId, ActiveAlert]) -> bool:
        """Whether there is something to tell, and it has waited as long as the channel asks."""
        if memory.told_at is None:
            return bool(self.members) and self._passed(memory.since, self.channel.group_wait_seconds)
        if over or any(self._is_new(alert, memory) for alert in self.members):
            return self._passed(memory.told_at, self.channel.group_interval_seconds)
        return self._unattended() and self._passed(memory.told_at, self.channel.repeat_interval_seconds)

    def _is_new(self, alert: ActiveAlert, memory: GroupMemory) -> bool:
        told = memory.told.get(alert.id)
        return told is None or told.started_at != alert.started_at

    def _unattended(self) -> bool:
        return any(not acknowledged(alert, self.given.acknowledged) for alert in self.members)

    def _passed(self, since: datetime, seconds: float) -> bool:
        """Whether that long is over; a moment in the future means that the clock was set back, and counts as over."""
        elapsed = (self.given.now - since).total_seconds()
        return elapsed >= seconds or elapsed < 0

    def _resolved(self, told: ActiveAlert) -> ActiveAlert:
        """How an alert that was told as firing ended."""
        now = self.given.alerts.get(told.id)
        if now is not None and now.state is AlertState.RESOLVED:
            return now
        reason = now.reason if now else NOT_REPORTED
        return replace(told, state=AlertState.RESOLVED, since=self.given.now, reason=reason, stale=False)

    def _notification(self, memory: GroupMemory, resolved: Sequence[ActiveAlert]) -> Notification:
        alerts = (*sorted(self.members, key=lambda alert: str(alert.id)), *resolved)
        told = Told.FIRING if self.members else Told.RESOLVED
        return Notification(
            id=_notification_id(self.group, told, alerts, memory.told_at),
            channel=self.channel.name,
            told=told,
            alerts=alerts,
            created_at=self.given.now,
            group=dict(self.group.labels),
        )


def _notification_id(group: Group, told: Told, alerts: Iterable[ActiveAlert], last: datetime | None) -> str:
    """The same for the same message: what is told of which episodes, after which message before it."""
    parts = [group.channel, *(f"{name}={value}" for name, value in group.labels), told.value, _stamp(last)]
    parts += [f"{alert.id} {_stamp(alert.started_at)} {alert.state.told}" for alert in alerts]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _stamp(moment: datetime | None) -> str:
    return str(moment.timestamp()) if moment else ""
