"""A real sshd on loopback with host keys of its own; used by integration tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What a session finds its programs in, whatever is first in ours."""
PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass
class Sshd:
    """A server, stopped by its process id; `home` is that of a user who may log in and knows its key, also of sessions:
    nothing that this machine's own user is greeted with runs in them."""

    directory: Path
    home: Path
    port: int
    listen: str = "127.0.0.1"
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
                    f"ListenAddress {self.listen}",
                    *(f"HostKey {key}" for key in sorted(self.directory.glob("host_*")) if key.suffix != ".pub"),
                    f"AuthorizedKeysFile {self.directory}/authorized_keys",
                    f"PidFile {self.directory}/pid",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "UsePAM no",
                    "StrictModes no",
                    f"SetEnv HOME={self.home}",
                    "MaxStartups 200",
                    "",
                ]
            )
        )
        assert SSHD is not None
        log = (self.directory / "log").open("ab")
        with log:
            argv = [SSHD, "-D", "-e", "-f", str(config)]
            environment = {**os.environ, "PATH": STANDARD_PATH}
            self._process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stderr=log)
        until(self._answers, "sshd")
        until(lambda: not self.sessions(), "the end of who asked")

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
