"""Where a host is and through which others it is reached, as manifests say it; made by `reach`, read by `ssh`.

What stands open here is filled in from `~/.ssh/config` and ssh's own defaults by `ssh_config`.
"""

from __future__ import annotations

import re

from reconciler.resources.values import dataclass

_STOP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<address>\[[^\]\s]+\]|[^:@\s\[\]]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Stop:
    """One SSH server on the way."""

    name: str
    """What people call it: a host's name, or what stands in `proxyJump`."""
    address: str
    user: str | None = None
    port: int | None = None
    host_key: str | None = None
    """A public key or a fingerprint; None: known_hosts says."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host.

    Args:
        host: its name.
        stop: the host itself.
        through: jump hosts, the first one first; None: as `~/.ssh/config` says.
    """

    host: str
    stop: Stop
    through: tuple[Stop, ...] | None = None
    become: bool = False


def parse_stop(text: str) -> Stop | None:
    """`[user@]address[:port]`, an IPv6 address in brackets; None if it is none of that."""
    found = _STOP.fullmatch(text)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    return Stop(text, found["address"].strip("[]"), found["user"], port)
