"""A real sshd on loopback with host keys of its own, and a fleet whose hosts are folders behind it."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.transport.route import Route, Stop
from reconciler.transport.ssh import Connections
from tests.integration.cli.conftest import Repository, repository
from tests.ports import free_port
from tests.sshd import SSHD, Sshd, keygen

__all__ = ["Sshd", "keygen", "repository"]


@pytest.fixture(autouse=True)
def _needs_sshd() -> None:
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("there is no sshd here: apt-get install openssh-server")


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
