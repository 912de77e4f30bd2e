"""A Valkey that can be killed and comes back from its append-only file, and the proxy before it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from reconciler.store.embedded import binary
from tests.integration.store.servers import pings
from tests.ports import free_port
from tests.waiting import until


class Server:
    """`appendfsync everysec`, as the embedded server has it and most others have.

    With it, an answer is given only after the write was handed to the kernel, so `kill -9` of the server loses nothing
    that was acknowledged. Only a machine that loses its power could lose the last second.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """Past the proxy, for who looks on."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        keep = "--appendonly yes --appendfsync everysec --maxmemory-policy noeviction"
        listen = f"--port {self._port} --bind 127.0.0.1 --dir {self._directory} --loglevel warning"
        command = [str(binary()), *listen.split(), *keep.split(), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: pings(self._port), "a PONG")

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self._process:
            self._process.kill()
            self._process.wait()


class ProxyProcess:
    """The proxy, in a process of its own."""

    def __init__(self, target: int) -> None:
        self._port = free_port()
        command = [sys.executable, "-m", "tests.chaos.proxy", str(self._port), str(target)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        until(self._listens, "the proxy")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def cut(self, how: str) -> int:
        """Cut all connections; how many there were. See `proxy.CUTS`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{how}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self._port)) == 0
