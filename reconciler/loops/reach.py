"""Which hosts this process can reach, and how: opens a transport for a host of the current manifests."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import Place, Unavailable
from reconciler.model.manifests import Connection, ConnectionType, Host, Manifests
from reconciler.planner import connections
from reconciler.transport import Transport
from reconciler.transport.local import LocalTransport


class Reach:
    """Knows the hosts of the manifests that it was shown last.

    Args:
        repository: what a relative `sandboxRoot` starts from.
        facts: facts of this machine, for local hosts.
    """

    def __init__(self, repository: Path, facts: Callable[[], Mapping[str, Any]], clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._facts = facts
        self._fleet = ""
        self._hosts: Mapping[str, Host] = {}
        self._resolved_from: tuple[object, object, object] = (None, None, None)
        self._connections: Mapping[str, Connection] = {}
        self._local: tuple[str, ...] = ()

    def show(self, manifests: Manifests) -> None:
        """From now on, reach the hosts of these manifests."""
        self._fleet = manifests.fleet.metadata.name
        grounds = (manifests.hosts, manifests.groups, manifests.apps)
        if all(map(operator.is_, grounds, self._resolved_from)):
            return
        self._hosts, self._resolved_from = manifests.hosts, grounds
        self._connections = connections(manifests)
        self._local = tuple(name for name, how in self._connections.items() if how.type is ConnectionType.LOCAL)

    @property
    def local(self) -> tuple[str, ...]:
        """Names of the hosts that are this machine, or a sandbox on it."""
        return self._local

    def open(self, host: str) -> Transport:
        """A transport to the host; the caller closes it.

        Raises:
            Unavailable: there is no way to reach it from here.
        """
        how = self._connections.get(host)
        if how is None:
            raise Unavailable.of("unknown-host", "not in the manifests", place=Place(host=host))
        if how.type is not ConnectionType.LOCAL:
            raise Unavailable.of(
                "no-transport",
                f"connection.type {how.type.value if how.type else 'ssh'} cannot be reached by this version yet",
                place=Place(host=host),
                hint="Hosts with connection.type: local can.",
            )
        root = self._hosts[host].sandbox_root
        return LocalTransport(host, self._fleet, self._repository / root if root else None, self._facts, self._clock)
