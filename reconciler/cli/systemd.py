"""What systemd is told by who serves: ready, still alive, about to stop. Does nothing where systemd does not ask."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Systemd:
    """Speaks sd_notify (https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html)."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._watchdog = "WATCHDOG_USEC" in environ

    def ready(self) -> None:
        """It serves from now on."""
        self._tell("READY=1")

    def alive(self) -> None:
        """All is well; with `WatchdogSec=` systemd restarts a service that is silent for longer."""
        if self._watchdog:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """It is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.send(state.encode())
