"""What `~/.ssh/config` adds to a manifest's word: user, port, keys, known_hosts files, jump hosts."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import Place, Unavailable
from reconciler.resources.values import dataclass
from reconciler.transport.route import Route, Stop, parse_stop
from reconciler.transport.slim_paramiko import paramiko

_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_MOST_JUMPS = 8


@dataclass(frozen=True, slots=True)
class Server:
    """One SSH server, with nothing left open."""

    stop: Stop
    address: str
    port: int
    user: str
    known_name: str
    known_hosts: tuple[Path, ...]
    keys: tuple[Path, ...]
    """Files of private keys, in the order in which they are tried; some may not exist."""
    agent: bool
    """Whether keys of ssh-agent are tried too, before the files."""

    @property
    def name(self) -> str:
        return self.stop.name


class UserConfig:
    """The user's file, read once."""

    def __init__(self, home: Path | None = None) -> None:
        self._directory = (home or Path.home()) / ".ssh"
        self._config: paramiko.SSHConfig | None = None

    def way(self, route: Route) -> tuple[Server, ...]:
        """The servers on the way, the host itself last.

        Raises:
            Unavailable: `ssh-config`, the file or a jump host in it cannot be understood.
        """
        try:
            through = route.through if route.through is not None else self._jumps(route.stop, ())
            return tuple(self._server(stop) for stop in (*through, route.stop))
        except (OSError, ValueError, paramiko.SSHException) as error:
            raise _wrong(route.host, f"{self._directory / 'config'}: {error}") from error

    def _jumps(self, stop: Stop, seen: tuple[str, ...]) -> tuple[Stop, ...]:
        """What ProxyJump says, and of the first of these again."""
        said = self._lookup(stop.address)
        if said.get("proxycommand", "none").lower() != "none":
            raise _wrong(stop.name, "ProxyCommand is not supported", "Use ProxyJump, or connection.proxyJump")
        text = said.get("proxyjump", "none")
        if text.lower() == "none":
            return ()
        if stop.address in seen or len(seen) >= _MOST_JUMPS:
            raise _wrong(stop.name, f"ProxyJump goes round in a circle at {stop.address}")
        stops = [parse_stop(part.strip().removeprefix("ssh://")) for part in text.split(",")]
        known = tuple(found for found in stops if found)
        if len(known) != len(stops):
            raise _wrong(stop.name, f"ProxyJump {text} is no [user@]host[:port]")
        return (*self._jumps(known[0], (*seen, stop.address)), *known)

    def _server(self, stop: Stop) -> Server:
        said = self._lookup(stop.address)
        address = said.get("hostname", stop.address)
        only_named = said.get("identitiesonly", "no").lower() == "yes"
        return Server(
            stop=stop,
            address=address,
            port=stop.port or int(said.get("port", 22)),
            user=stop.user or said.get("user") or pwd.getpwuid(os.getuid()).pw_name,
            known_name=said.get("hostkeyalias", address),
            known_hosts=self._known_hosts(said),
            keys=self._keys(said),
            agent=not only_named,
        )

    def _keys(self, said: Mapping[str, Any]) -> tuple[Path, ...]:
        named: Sequence[str] = said.get("identityfile", ())
        files = [Path(name).expanduser() for name in named if name.lower() != "none"]
        return tuple(files) if named else tuple(self._directory / name for name in _DEFAULT_KEYS)

    def _known_hosts(self, said: Mapping[str, str]) -> tuple[Path, ...]:
        own = said.get("userknownhostsfile", f"{self._directory}/known_hosts {self._directory}/known_hosts2")
        shared = said.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2")
        return tuple(Path(name).expanduser() for name in f"{own} {shared}".split())

    def _lookup(self, address: str) -> Mapping[str, Any]:
        if self._config is None:
            path = self._directory / "config"
            self._config = paramiko.SSHConfig.from_text(path.read_text() if path.exists() else "")
        return self._config.lookup(address)


def _wrong(host: str, message: str, hint: str = "") -> Unavailable:
    return Unavailable.of("ssh-config", message, place=Place(host=host), hint=hint)
