"""Whether messages can be sent to the channels of a fleet, and what did not arrive. For `reconcile doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.errors import ReconcilerError
from reconciler.loops.monitoring.notifier import OpenUrl, Resolve, clear, targets_of
from reconciler.model.delivery import Backlog, Message, Outcome, Style, Target
from reconciler.model.monitoring import Channel
from reconciler.resources.values import dataclass

_TEST = "TEST: nothing is wrong; someone tries out this channel"
_TEST_BODY = "You will get the alerts of channel {channel} of fleet {fleet} here."


class Backlogs(Protocol):
    """Reads what waits for targets, by their ids."""

    def __call__(self, targets: Sequence[str]) -> Mapping[str, Backlog]: ...


@dataclass(frozen=True, slots=True)
class ChannelFinding:
    """What is to be said of one URL of a channel."""

    target: Target
    problem: str
    """Empty: nothing is wrong."""
    service: str = ""
    hint: str = ""


def usable(
    channels: Mapping[str, Channel], open_url: Callable[[str], OpenUrl], resolve: Resolve
) -> Iterator[ChannelFinding]:
    """Every URL: whether it can be opened, with its secret as it is now."""
    for target in (target for channel in channels.values() for target in targets_of(channel)):
        try:
            url = open_url(clear(target.url, resolve))
        except ReconcilerError as error:
            wrong = error.problems[0]
            yield ChannelFinding(target, wrong.message, hint=wrong.hint)
            continue
        several = f"the URL names {url.recipients} recipients" if url.recipients > 1 else ""
        hint = "Write a URL for each: what one of them did not get would go to all again"
        yield ChannelFinding(target, several, url.schema, hint if several else "")


def behind(channels: Mapping[str, Channel], backlogs: Backlogs) -> Iterator[ChannelFinding]:
    """URLs that could not take their last message, with how many wait."""
    targets = {target.id: target for channel in channels.values() for target in targets_of(channel)}
    for name, backlog in backlogs(sorted(targets)).items():
        if backlog.state.reason:
            count = len(backlog.waiting)
            told = f"{count} message{'' if count == 1 else 's'} not delivered yet: {backlog.state.reason}"
            yield ChannelFinding(targets[name], told)


def send_test(
    channel: Channel, fleet: str, open_url: Callable[[str], OpenUrl], resolve: Resolve
) -> Iterator[ChannelFinding]:
    """Send a message that says it is a test to every URL of a channel; what became of it."""
    for target in targets_of(channel):
        try:
            url = open_url(clear(target.url, resolve))
        except ReconcilerError as error:
            wrong = error.problems[0]
            yield ChannelFinding(target, wrong.message, hint=wrong.hint)
            continue
        body = _TEST_BODY.format(channel=channel.name, fleet=fleet)
        text = f"{_TEST}. {body}" if url.style is Style.SHORT else body
        told = url.send(Message(_TEST, text, url.style))
        yield ChannelFinding(target, "" if told.outcome is Outcome.SENT else told.reason, url.schema)
