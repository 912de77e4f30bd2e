"""Several hosts on a bridge of their own, and the keys to reach them. Used by the fixtures and by benchmarks.

The bridge leads nowhere: what is on it sees the other hosts and this side, and nothing else.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import testinfra
import testinfra.host

from tests.e2e.hosts import Host

_BRIDGE = "fleet"
_NETWORK = "10.20.30"
OPS_ADDRESS = f"{_NETWORK}.1"
"""This side of the bridge, where `reconcile` runs."""


@dataclass(frozen=True, repr=False)
class Fleet:
    """Hosts that are up."""

    directory: Path
    hosts: Mapping[str, Host]

    @property
    def private_key(self) -> Path:
        """Lets in `root` and `ops` (who may sudo) on every host."""
        return self.directory / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The keys of all hosts, known before they were first reached."""
        return self.directory / "known_hosts"

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def look(self, name: str) -> testinfra.host.Host:
        """A host as an independent witness sees it: testinfra, over OpenSSH."""
        return testinfra.get_host(f"ssh://root@{name}?ssh_config={self.ssh_config}")

    @cached_property
    def ssh_config(self) -> Path:
        """By which OpenSSH reaches the hosts by their names."""
        addresses = "".join(f"Host {host.name}\n  HostName {host.address}\n" for host in self.hosts.values())
        config = self.directory / "ssh_config"
        config.write_text(
            f"{addresses}\nHost *\n"
            f"  IdentityFile {self.private_key}\n  IdentitiesOnly yes\n  BatchMode yes\n  ConnectTimeout 5\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  StrictHostKeyChecking yes\n"
            f"  ControlMaster auto\n  ControlPath {self.directory}/%C\n  ControlPersist 60\n"
            "  ServerAliveInterval 2\n  ServerAliveCountMax 2\n"
        )
        return config


@contextmanager
def booted(*names: str, shows: Sequence[Path] = ()) -> Iterator[Fleet]:
    """A fleet of fresh hosts with these names, reachable over SSH; gone at the end.

    Args:
        names: of the hosts.
        shows: directories of this machine that the hosts see too, and cannot change.
    """
    root = Path(os.environ["E2E_ROOT"])
    directory = Path(tempfile.mkdtemp(prefix="fleet-", dir="/run"))
    addresses = {name: f"{_NETWORK}.{number}" for number, name in enumerate(names, start=11)}
    hosts = {name: Host(name, address, _BRIDGE, directory / name, shows) for name, address in addresses.items()}
    fleet = Fleet(directory, hosts)
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", str(fleet.private_key))
    _run("ip", "link", "add", _BRIDGE, "type", "bridge")
    _run("ip", "address", "add", f"{OPS_ADDRESS}/24", "dev", _BRIDGE)
    _run("ip", "link", "set", _BRIDGE, "up")
    try:
        for host in hosts.values():
            host.install(root, addresses, fleet.private_key.with_suffix(".pub").read_text())
        fleet.known_hosts.write_text("".join(f"{host.address} {host.host_key}\n" for host in hosts.values()))
        for host in hosts.values():
            host.switch_on()
        for host in hosts.values():
            host.wait_until_reachable()
        yield fleet
    finally:
        for host in hosts.values():
            host.pull_power()
            _run("umount", "--lazy", str(host.files))
        _run("ip", "link", "delete", _BRIDGE)
        _run("rm", "-rf", "--one-file-system", str(directory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
