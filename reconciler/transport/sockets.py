"""TCP connections that notice a cut network and lose no time to small messages. Opened by `dialing`."""

from __future__ import annotations

import socket
from typing import Any

CONNECT_SECONDS = 10.0

_OPTIONS = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 10,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 5,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 3,
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): 20_000,
    (socket.IPPROTO_TCP, socket.TCP_NODELAY): 1,
}
"""A cut network is noticed after about 20 s, and small messages leave at once."""


class PromptSocket(socket.socket):
    """Acknowledges what it reads at once.

    sshd sends the answer that we wait for only when its last packet was acknowledged (Nagle), and the kernel would take
    40 ms for that. The option holds for a moment only, so it is set after each read.
    """

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        piece = super().recv(bufsize, flags)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return piece


def connected(address: str, port: int) -> socket.socket:
    """A connection; raises OSError."""
    host: Any = address.encode("ascii") if address.isascii() else address  # no tables of Unicode to load for a text
    plain = socket.create_connection((host, port), CONNECT_SECONDS)
    prompt = PromptSocket(fileno=plain.detach())
    prompt.settimeout(CONNECT_SECONDS)
    for (level, option), value in _OPTIONS.items():
        prompt.setsockopt(level, option, value)
    return prompt
