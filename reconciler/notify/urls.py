"""Opens and checks the URLs of channels: Apprise's, and `log:`. An open URL takes messages one by one.

Checks are for whoever reads manifests; the notifier and `doctor` open. No error here shows a URL, which may hold a key.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from requests.adapters import BaseAdapter

from reconciler.clock import Clock
from reconciler.errors import InvalidInput, did_you_mean
from reconciler.model.delivery import Delivery, Message, Style
from reconciler.notify.answers import judge
from reconciler.notify.listening import get, listening
from reconciler.notify.log_file import Log, LogFile
from reconciler.notify.services import style_of

_LOG = "log:"
_SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WORDS = re.compile(r"[^/@:?&=,#\s]{6,}")
_SECONDS = 10.0
"""To connect, and to answer."""


class Open(Protocol):
    """A URL that messages can be sent to."""

    schema: str
    style: Style
    recipients: int
    """How many people or rooms it names."""

    def send(self, message: Message) -> Delivery:
        """Send it, once."""
        ...


class Opener:
    """Opens URLs.

    Args:
        directory: where `log:` without a path writes.
        clock: for times in files and in answers.
        log: is told what `log:` gets.
        transport: carries HTTP; by default the network's.
    """

    def __init__(self, directory: Path, clock: Clock, log: Log, transport: BaseAdapter | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._log = log
        self._transport = transport

    def open(self, url: str) -> Open:
        """The URL, ready to send.

        Raises:
            InvalidInput: it is none that Apprise knows.
        """
        if url.startswith(_LOG):
            return LogFile(url.removeprefix(_LOG).removeprefix("//"), self._directory, self._clock, self._log)
        return _Service(url, _plugin(url), self._clock, self._transport)


def check(url: str) -> None:
    """Whether messages could be sent there; nothing is.

    Raises:
        InvalidInput: it is no URL, or none that Apprise can use, or names more than one recipient.
    """
    if url.startswith(_LOG):
        return
    recipients = len(_plugin(url))
    if recipients > 1:
        message = f"the URL names {recipients} recipients; a message that one of them did not get would go to all again"
        raise InvalidInput.of("channel-url", message, hint="Write a URL for each of them")


def call(url: str, clock: Clock, transport: BaseAdapter | None = None) -> Delivery:
    """One GET, for who only wants to be heard."""
    heard = get(url, transport)
    accepted = heard.error is None and heard.answers[-1].status < 400
    told = judge("http", heard.answers, heard.error, clock.now(), accepted=accepted)
    return Delivery(told.outcome, _masked(told.reason, url), told.retry_after_seconds)


class _Service:
    """A plugin of Apprise."""

    def __init__(self, url: str, plugin: Any, clock: Clock, transport: BaseAdapter | None) -> None:
        self.schema: str = plugin.schema
        self.style = style_of(self.schema, plugin)
        self.recipients = len(plugin)
        self._url = url
        self._plugin = plugin
        self._clock = clock
        self._transport = transport

    def send(self, message: Message) -> Delivery:
        """Send it, once."""
        from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 - apprise is slow to load

        format_ = NotifyFormat.MARKDOWN if message.style is Style.MARKDOWN else NotifyFormat.TEXT
        kind = NotifyType.SUCCESS if message.over else NotifyType.FAILURE
        subject = "" if message.style is Style.SHORT else message.subject
        body = message.body if message.style is Style.SHORT else fitted(message.body, self._room(subject))
        with listening(self._plugin, self._transport) as exchange:
            try:
                accepted = self._plugin.notify(body=body, title=subject, notify_type=kind, body_format=format_)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is trouble of its target alone
                accepted, exchange.error = False, exchange.error or error
        told = judge(self.schema, exchange.answers, exchange.error, self._clock.now(), accepted=accepted is True)
        return Delivery(told.outcome, _masked(told.reason, self._url), told.retry_after_seconds)

    def _room(self, subject: str) -> int:
        """Bytes for a body: services count bytes or characters, and what it becomes in HTML needs some more."""
        return int(0.8 * self._plugin.body_maxlen) - len(subject.encode())


def _masked(reason: str, url: str) -> str:
    """Without what the URL holds, which a service may send back."""
    for word in sorted({url, *_WORDS.findall(url.partition("://")[2])}, key=len, reverse=True):
        reason = reason.replace(word, "***")
    return reason


def fitted(text: str, most_bytes: int) -> str:
    """The text, of one that is too long the beginning and the last two lines, where the commands stand."""
    if len(text.encode()) <= most_bytes:
        return text
    tail = "\n...\n" + "\n".join(text.splitlines()[-2:])
    room = most_bytes - len(tail.encode())
    if room <= 0:
        return text.encode()[:most_bytes].decode(errors="ignore")
    return text.encode()[:room].decode(errors="ignore").rstrip() + tail


def _plugin(url: str) -> Any:
    from apprise import Apprise, OverflowMode  # noqa: PLC0415 - apprise is slow to load

    found = _SCHEMA.match(url)
    if found is None:
        raise InvalidInput.of("channel-url", "it is no URL", hint="Such as mailtos://USER:PASSWORD@HOST?to=ADDRESS")
    plugin = Apprise.instantiate(url, asset=_asset())
    if plugin is None:
        raise _unusable(found[1].lower())
    plugin.request_rate_per_sec = 0  # whoever calls us paces
    plugin.socket_connect_timeout = plugin.socket_read_timeout = _SECONDS
    plugin.retry = 0
    plugin.overflow_mode = OverflowMode.TRUNCATE
    return plugin


def _unusable(schema: str) -> InvalidInput:
    """What is wrong with a URL that Apprise does not take."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - apprise is slow to load

    known: list[str] = NotificationManager().schemas()  # type: ignore[no-untyped-call] # apprise's
    if schema not in known:
        hint = did_you_mean(schema, [*known, "log"])
        return InvalidInput.of("channel-url", f'no service is called "{schema}"', hint=hint)
    hint = f"See https://appriseit.com/services/{schema}/"
    return InvalidInput.of("channel-url", f"this is no URL of {schema}: a part is missing or malformed", hint=hint)


@cache
def _asset() -> Any:
    """How Apprise behaves here: quiet, under our name, without files, threads, retries or plugins of its own."""
    from apprise import AppriseAsset  # noqa: PLC0415 - apprise is slow to load

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages hold keys
    return AppriseAsset(
        app_id="Reconciler",
        app_desc="Reconciler",
        app_url="",
        async_mode=False,
        storage_path=None,
        image_url_mask="",
        image_url_logo="",
    )
