"""A real sshd on loopback with host keys of its own, and a fleet whose hosts are folders behind it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.transport.route import Route, Stop
from reconciler.transport.ssh import Connections
from tests.integration.cli.conftest import Repository, repository
from tests.waiting import until

__all__ = ["repository"]

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PRIVILEGE_SEPARATION = Path("/run/sshd")


@pytest.fixture(autouse=True)
def _needs_sshd() -> None:
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("there is no sshd here: apt-get install openssh-server")


@dataclass
class Sshd:
    """A server, stopped by its process id; `home` is that of a user who may log in and knows its key."""

    directory: Path
    home: Path
    port: int
    lines: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def fingerprint(self) -> str:
        """Of its ed25519 key."""
        return self.fingerprint_of(self.directory / "host_ed25519")

    def fingerprint_of(self, key: Path) -> str:
        told = subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True).stdout
        return told.split()[1]

    def start(self, *lines: str) -> None:
        """Serve, with further lines of configuration."""
        if os.geteuid() == 0:
            PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        config = self.directory / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    *lines,
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    *(f"HostKey {key}" for key in sorted(self.directory.glob("host_*")) if key.suffix != ".pub"),
                    f"AuthorizedKeysFile {self.directory}/authorized_keys",
                    f"PidFile {self.directory}/pid",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "UsePAM no",
                    "StrictModes no",
                    "MaxStartups 200",
                    "",
                ]
            )
        )
        assert SSHD is not None
        log = (self.directory / "log").open("ab")
        with log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log)
        until(self._answers, "sshd")

    def stop(self) -> None:
        """End the server and all of its sessions."""
        if self._process is not None:
            self.cut()
            self._process.terminate()
            self._process.wait()
            self._process = None

    def restart(self, *lines: str) -> None:
        self.stop()
        self.start(*lines)

    def cut(self) -> int:
        """Kill every session; how many there were."""
        sessions = self.sessions()
        for pid in sessions:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(sessions)

    def sessions(self) -> list[int]:
        """Process ids of the connections that it serves."""
        assert self._process is not None
        return _children(self._process.pid)

    def new_host_key(self) -> None:
        """As if the host had been made anew."""
        for old in self.directory.glob("host_*"):
            old.unlink()
        keygen(self.directory / "host_ed25519")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def keygen(path: Path, kind: str = "ed25519") -> None:
    size = ["-b", "2048"] if kind == "rsa" else []  # a larger one takes seconds to find
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "", "-f", path], check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's key and a user's, made once."""
    directory = tmp_path_factory.mktemp("keys")
    if SSHD is not None:
        keygen(directory / "host_ed25519")
        keygen(directory / "id_ed25519")
    return directory


@pytest.fixture
def sshd(tmp_path: Path, made_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    directory, home = tmp_path / "sshd", tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    directory.mkdir()
    for name in ("host_ed25519", "host_ed25519.pub"):
        shutil.copy(made_keys / name, directory / name)
    shutil.copy(made_keys / "id_ed25519", home / ".ssh" / "id_ed25519")
    shutil.copy(made_keys / "id_ed25519.pub", directory / "authorized_keys")
    server = Sshd(directory, home, free_port())
    know(server)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    server.start()
    yield server
    server.stop()


def know(server: Sshd) -> None:
    """Put the server's key into the user's known_hosts."""
    kind, text, *_ = (server.directory / "host_ed25519.pub").read_text().split()
    (server.home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {kind} {text}\n")


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections(SystemClock())
    yield made
    made.close()


def route(server: Sshd, host: str = "web-1", *, host_key: str | None = None, user: str | None = None) -> Route:
    """The way to a host of the server."""
    return Route(host, Stop(host, "127.0.0.1", user or pwd.getpwuid(os.getuid()).pw_name, server.port, host_key))


@dataclass
class SshFleet(Repository):
    """A repository whose hosts are reached over SSH."""

    roots: Path = Path()
    port: int = 0

    def add_host(self, name: str, *lines: str, connection: Sequence[str] = ()) -> None:
        """A host whose root is a folder."""
        keys = ", ".join([f"port: {self.port}", *connection])
        text = [
            "apiVersion: reconciler/v1",
            "kind: Host",
            f"metadata: {{name: {name}, labels: {{role: web}}}}",
            "spec:",
            "  address: 127.0.0.1",
            f"  connection: {{{keys}}}",
            f"  sandboxRoot: {self.roots / name}",
            *lines,
        ]
        self.write(f"manifests/hosts/{name}.yaml", "\n".join([*text, ""]))

    def on_host(self, path: str, host: str = "web-1") -> Path:
        """A file of a host."""
        return self.roots / host / path.lstrip("/")

    def app(self, *resources: str) -> None:
        """What app `hello` wants, one line a resource."""
        self.write("manifests/apps/hello.yaml", APP + "".join(f"    - {resource}\n" for resource in resources))


APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: hello}
spec:
  hosts: role=web
  config: {greeting: Hello}
  resources:
"""
HELLO = "file: {path: /etc/hello, template: hello.j2}"


@pytest.fixture
def fleet(sshd: Sshd, repository: Callable[[], Repository], tmp_path: Path) -> SshFleet:
    """A fleet of one host `web-1` over SSH with one app `hello`."""
    made = repository()
    ssh = SshFleet(made.root, {**made.environment, "HOME": str(sshd.home)}, made.capture)
    ssh.roots, ssh.port = tmp_path / "roots", sshd.port
    ssh.write(".gitignore", "/.reconciler/\n")
    ssh.write("manifests/fleet.yaml", "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: small}\nspec: {}\n")
    ssh.write("templates/hello.j2", "{{ greeting }} from {{ host.name }}\n")
    ssh.add_host("web-1")
    ssh.app(HELLO)
    ssh.commit("a fleet over SSH")
    return ssh
