"""One host: the root with a layer of its own, booted by systemd-nspawn on the fleet's bridge. Made by `fleet`.

Runs inside the namespaces of `python -m tests.e2e`, so that a host is gone with them whatever happens here.
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.e2e import cgroups
from tests.waiting import until

_REBOOT = 133
"""What systemd-nspawn ends with when the host asks for a reboot and no unit manager is there to do it."""
_STOP_SECONDS = 30


@dataclass(repr=False)
class Host:
    """A machine that can be switched on and off, plugged and unplugged."""

    name: str
    address: str
    bridge: str
    directory: Path
    shows: Sequence[Path] = ()
    """Directories of this machine that it sees too, and cannot change."""
    host_key: str = ""
    """Its public key, as it stands in known_hosts."""
    boots: int = 0
    _wanted: threading.Event = field(default_factory=threading.Event)
    _power: threading.Thread | None = None
    _nspawn: subprocess.Popen[bytes] | None = None

    @property
    def files(self) -> Path:
        """The host's file system, seen from outside."""
        return self.directory / "root"

    @property
    def console(self) -> str:
        """What the host printed while it booted."""
        log = self.directory / "console.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def install(self, root: Path, names: Mapping[str, str], authorized_key: str) -> None:
        """Give it its disk: the shared root below, its identity and the names of its neighbours above."""
        for folder in ("upper", "work", "root"):
            (self.directory / folder).mkdir(parents=True)
        layers = f"lowerdir={root},upperdir={self.directory / 'upper'},workdir={self.directory / 'work'}"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.files))
        neighbours = "".join(f"{address} {name}\n" for name, address in names.items())
        self._write("etc/hostname", f"{self.name}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{neighbours}")
        self._write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        network = (
            f"[Match]\nName=host0\n\n[Network]\nAddress={self.address}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        )
        self._write("etc/systemd/network/10-fleet.network", network)
        self.new_key()
        self._write("root/.ssh/authorized_keys", authorized_key, 0o600)
        self._write("home/ops/.ssh/authorized_keys", authorized_key, 0o600)
        ops = (self.files / "home/ops").stat()
        for path in ("home/ops/.ssh", "home/ops/.ssh/authorized_keys"):
            os.chown(self.files / path, ops.st_uid, ops.st_gid)

    def new_key(self) -> str:
        """Give it another SSH host key, from its next boot on; its fingerprint."""
        key = self.directory / "host_key"
        key.unlink(missing_ok=True)
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(key))
        self.host_key = " ".join(key.with_suffix(".pub").read_text().split()[:2])
        self._write("etc/ssh/ssh_host_ed25519_key", key.read_text(), 0o600)
        self._write("etc/ssh/ssh_host_ed25519_key.pub", f"{self.host_key}\n")
        return self.fingerprint

    @property
    def fingerprint(self) -> str:
        """Of its public key, as people compare it."""
        raw = base64.b64decode(self.host_key.split()[1])
        return f"SHA256:{base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip('=')}"

    def switch_on(self) -> None:
        """Boot; it stays on, also when it reboots, until it is switched off."""
        self._wanted.set()
        self._power = threading.Thread(target=self._keep_on, name=f"power of {self.name}", daemon=True)
        self._power.start()

    def switch_off(self) -> None:
        """Shut down in good order."""
        self._wanted.clear()
        if self._nspawn and self._power:
            self._nspawn.terminate()
            self._power.join(_STOP_SECONDS)
            self.pull_power()

    def pull_power(self) -> None:
        """Off at once: nothing on it can do anything about it."""
        self._wanted.clear()
        if self._nspawn and self._power and self._power.is_alive():
            for pid in _children(self._nspawn.pid) or [self._nspawn.pid]:
                os.kill(pid, signal.SIGKILL)  # the host's first process; nspawn then takes the cable away and ends
            self._power.join()

    def hold_down(self) -> None:
        """When it restarts the next time, it goes down and stays down until it is switched on."""
        self._wanted.clear()

    def unplug(self) -> None:
        """Take its cable out of the bridge; it stays on."""
        _run("ip", "link", "set", self.cable, "down")

    def plug(self) -> None:
        """Put the cable back."""
        _run("ip", "link", "set", self.cable, "up")

    def answers(self) -> bool:
        """Whether its SSH server can be reached now."""
        try:
            with socket.create_connection((self.address, 22), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def wait_until_reachable(self) -> None:
        """Wait until its SSH server answers."""
        try:
            until(self.answers, f"{self.name} in reach over SSH")
        except AssertionError as error:
            error.add_note(self.console[-3000:])
            raise

    @property
    def cable(self) -> str:
        """Name of the end of its cable that is on this side."""
        return f"vb-{self.name}"[:15]

    def _keep_on(self) -> None:
        nspawn = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--boot",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--console=read-only",
            f"--machine={self.name}",
            f"--directory={self.files}",
            f"--network-bridge={self.bridge}",
            *(f"--bind-ro={path}" for path in self.shows),
        ]
        command = cgroups.within(self.name, nspawn)
        code = _REBOOT
        while code == _REBOOT and self._wanted.is_set():
            with (self.directory / "console.log").open("ab") as log:
                self.boots += 1
                self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            code = self._nspawn.wait()

    def _write(self, path: str, text: str, mode: int = 0o644) -> None:
        target = self.files / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if mode == 0o644 else 0o700)
        target.write_text(text)
        target.chmod(mode)


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
