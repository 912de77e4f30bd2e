"""The channel `log:`: messages into a file and into the log of whoever sends. For a first look.

`log:` is notifications.log in the state directory, `log:/var/log/alerts.log` a file of one's own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from reconciler.clock import Clock
from reconciler.model.delivery import SENT, Delivery, Message, Outcome, Style

FILE = "notifications.log"


class Log(Protocol):
    """A structured log."""

    def info(self, event: str, **values: object) -> object: ...


class LogFile:
    """See `urls.Open`."""

    schema = "log"
    style = Style.PLAIN
    recipients = 1

    def __init__(self, path: str, directory: Path, clock: Clock, log: Log) -> None:
        self._path = Path(path) if path else directory / FILE
        self._clock = clock
        self._log = log

    def send(self, message: Message) -> Delivery:
        """Append it."""
        head = f"{self._clock.now():%Y-%m-%d %H:%M:%S} UTC  {message.subject}"
        text = "\n".join([head, *(f"    {line}".rstrip() for line in message.body.splitlines()), "", ""])
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            return Delivery(Outcome.LATER, f"{self._path}: {error.strerror or error}")
        self._log.info("message", subject=message.subject, file=str(self._path))
        return SENT
