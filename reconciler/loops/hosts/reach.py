"""Which hosts this process can reach, and how: opens a transport for a host of the current manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.clock import Clock
from reconciler.errors import Place, Refused, Unavailable
from reconciler.model.manifests import Connection, ConnectionType, Group, Host, Manifests
from reconciler.planner.placement import connections, selectors_of
from reconciler.resources.values import replace
from reconciler.transport import Machine, Transport
from reconciler.transport.route import Route, Stop, parse_stop

if TYPE_CHECKING:
    from reconciler.resources.measuring.readings import Readings
    from reconciler.resources.measuring.sampling import Sampler


class Ssh(Protocol):
    """Opens hosts over SSH."""

    def open(self, route: Route, fleet: str, root: str) -> Transport: ...

    def approach(self, route: Route, fleet: str, root: str) -> None: ...

    def machine(self, route: Route, fleet: str) -> Machine: ...

    def sample(self, route: Route, root: str, apps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]: ...


class Reach:
    """Knows the hosts of the manifests that it was shown last.

    Args:
        repository: what a relative `sandboxRoot` of a local host starts from.
        facts: facts of this machine, for local hosts.
        ssh: gives what opens the others; called for the first of them, since it is slow to load.
        readings: looks at the counters of this machine.
    """

    def __init__(
        self,
        repository: Path,
        facts: Callable[[], Mapping[str, Any]],
        clock: Clock,
        ssh: Callable[[], Ssh],
        readings: Callable[[float], Readings],
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._facts = facts
        self._ssh = ssh
        self._readings = readings
        self._samplers: dict[tuple[str, Path | None], Sampler] = {}
        self._fleet = ""
        self._hosts: Mapping[str, Host] = {}
        self._groups: Mapping[str, Group] = {}
        self._rules: object = None
        self._connections: Mapping[str, Connection] = {}
        self._local: tuple[str, ...] = ()
        self._remote: frozenset[str] = frozenset()
        self._agents: frozenset[str] = frozenset()

    def show(self, manifests: Manifests) -> None:
        """From now on, reach the hosts of these manifests."""
        self._fleet = manifests.fleet.metadata.name
        rules = selectors_of(manifests)
        if manifests.hosts is self._hosts and manifests.groups is self._groups and rules == self._rules:
            return
        known = self._connections if manifests.groups is self._groups and rules == self._rules else {}
        fresh = {
            name: host for name, host in manifests.hosts.items() if name not in known or host is not self._hosts[name]
        }
        found = connections(replace(manifests, hosts=fresh))
        self._connections = {name: found[name] if name in fresh else known[name] for name in manifests.hosts}
        self._hosts, self._groups, self._rules = manifests.hosts, manifests.groups, rules
        self._local = self._of(ConnectionType.LOCAL)
        self._remote = frozenset(self._of(ConnectionType.SSH))
        self._agents = frozenset(self._of(ConnectionType.AGENT))

    @property
    def local(self) -> tuple[str, ...]:
        """Names of the hosts that are this machine, or a sandbox on it."""
        return self._local

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of all hosts that this process works on: an agent works on its own."""
        return (*self._local, *sorted(self._remote))

    @property
    def agents(self) -> frozenset[str]:
        """Names of the hosts whose own agent works on them."""
        return self._agents

    def sealing_key(self, host: str) -> str:
        """The key that secrets for a host's agent are sealed to; empty where no agent works on it."""
        how = self._connections.get(host)
        return (how.sealing_key or "") if how and how.type is ConnectionType.AGENT else ""

    def remote(self, host: str) -> bool:
        """Whether the host is across a network."""
        return host in self._remote

    def open(self, host: str) -> Transport:
        """A transport to the host; the caller closes it.

        Raises:
            Unavailable: there is no way to reach it from here.
        """
        how = self._known(host)
        if how.type is ConnectionType.LOCAL:
            from reconciler.transport.local import LocalTransport  # noqa: PLC0415 - most fleets are across a network

            return LocalTransport(host, self._fleet, self._sandbox(host), self._facts, self._clock)
        if how.type is not ConnectionType.SSH:
            raise Unavailable.of("no-transport", "its agent works on it, nobody else", place=Place(host=host))
        return self._ssh().open(self._route(host, how), self._fleet, self._root(host))

    def approach(self, hosts: Iterable[str]) -> None:
        """Begin to connect to hosts across the network that will be opened soon; what is wrong is told then."""
        for host in hosts:
            with suppress(Unavailable):
                route = self._route(host, self._connections[host])
                self._ssh().approach(route, self._fleet, self._root(host))

    def sample(self, host: str, apps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """One sample of the host; see `resources.sampling`. A sandbox shows the machine that it is on.

        Raises:
            Unavailable: there is no way to reach it from here.
        """
        how = self._known(host)
        if how.type is not ConnectionType.LOCAL:
            return self._ssh().sample(self._route(host, how), self._root(host), apps)
        from reconciler.resources.machine.posix import PosixSystem  # noqa: PLC0415 - see `open`
        from reconciler.resources.measuring.sampling import Sampler  # noqa: PLC0415

        key = host, self._sandbox(host)
        if key not in self._samplers:
            self._samplers[key] = Sampler(self._readings, PosixSystem(str(key[1] or "/"), clock=self._clock))
        return self._samplers[key].sample(apps)

    def machine(self, host: str) -> Machine:
        """A whole host over SSH, to install something on it, also where an agent works on it; the caller closes it.

        Raises:
            Unavailable: there is no way to reach it from here.
            Refused: it is no machine that SSH leads to: this one, or a sandbox.
        """
        how = self._connections[host]
        if how.type is ConnectionType.LOCAL or self._hosts[host].sandbox_root:
            what = "a sandbox" if self._hosts[host].sandbox_root else "this machine"
            message = f"it is {what}, so it needs no agent: the executor works on it"
            raise Refused.of("no-machine", message, place=Place(host=host))
        return self._ssh().machine(self._route(host, how), self._fleet)

    def _known(self, host: str) -> Connection:
        how = self._connections.get(host)
        if how is None:
            raise Unavailable.of("unknown-host", "not in the manifests", place=Place(host=host))
        return how

    def _sandbox(self, host: str) -> Path | None:
        root = self._hosts[host].sandbox_root
        return self._repository / root if root else None

    def _of(self, kind: ConnectionType) -> tuple[str, ...]:
        return tuple(name for name, how in self._connections.items() if how.type is kind)

    def _root(self, host: str) -> str:
        root = self._hosts[host].sandbox_root or "/"
        if not root.startswith("/"):
            message = f"sandboxRoot {root} is a path on the host, so it must be absolute"
            raise Unavailable.of("invalid-route", message, place=Place(host=host), hint="Write /srv/NAME, for example")
        return root

    def _route(self, host: str, how: Connection) -> Route:
        return Route(host, self._stop(host, how), self._through(how, (host,)), bool(how.become))

    def _stop(self, host: str, how: Connection) -> Stop:
        return Stop(host, self._hosts[host].address, how.user, how.port, how.host_key)

    def _through(self, how: Connection, asking: tuple[str, ...]) -> tuple[Stop, ...] | None:
        """The jump hosts that `proxyJump` names: hosts of the fleet with their own, or addresses."""
        if how.proxy_jump is None:
            return None
        stops: list[Stop] = []
        for name in filter(None, map(str.strip, how.proxy_jump.split(","))):
            if name in asking:
                raise _bad_jump(asking[0], f"proxyJump goes round in a circle: {' -> '.join([*asking, name])}")
            if name in self._hosts:
                known = self._connections[name]
                stops += [*(self._through(known, (*asking, name)) or ()), self._stop(name, known)]
            elif stop := parse_stop(name):
                stops += [stop] if name != "none" else []
            else:
                raise _bad_jump(asking[0], f"proxyJump {name} is neither a host nor [user@]address[:port]")
        return tuple(stops)


def _bad_jump(host: str, message: str) -> Unavailable:
    return Unavailable.of("invalid-route", message, place=Place(host=host))
