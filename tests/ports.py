"""Ports on loopback for the servers of tests.

None is given out twice while the process that asked for it lives, and none can be taken by a connection that goes out:
those begin at 32768.
"""

from __future__ import annotations

import socket
from itertools import count

from reconciler.clock import chance

_FIRST, _LAST = 20_000, 32_000
_OURS: list[socket.socket] = []
"""One for each port that this process was given. Their names are the machine's, so that other workers see them."""


def free_port() -> int:
    """A port on which nobody listens until the caller does."""
    begin = int(chance() * (_LAST - _FIRST))
    return next(port for port in (_FIRST + number % (_LAST - _FIRST) for number in count(begin)) if _taken(port))


def _taken(port: int) -> bool:
    """Whether it is ours from now on."""
    ours = socket.socket(socket.AF_UNIX)
    try:
        ours.bind(f"\0reconciler-test-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        ours.close()
        return False
    _OURS.append(ours)
    return True
