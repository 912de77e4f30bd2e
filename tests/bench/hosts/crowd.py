"""500 hosts over SSH from one process: sandboxes behind one sshd, each at a loopback address of its own.

Everything runs on this machine: this side, 500 sessions of sshd and 500 Python processes at their far ends.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread

import psutil

from tests.bench.hosts.same_work import furnish
from tests.e2e.ops import Ops
from tests.ports import free_port
from tests.sshd import Sshd, keygen

HOSTS = 500
GLANCE_SECONDS = 0.1
PASSWD = Path("/etc/passwd")
HOST = """\
---
apiVersion: reconciler/v1
kind: Host
metadata: {{name: host-{number:03}, labels: {{role: bench}}}}
spec:
  address: 127.1.{net}.{node}
  connection: {{user: root, port: {port}, hostKey: "{key}"}}
  sandboxRoot: {root}
"""


@dataclass(frozen=True)
class Keys:
    """Of the one server; its own key stands in the manifests."""

    private_key: Path
    known_hosts: Path


@dataclass
class Peak:
    """The most of each that was seen of a process."""

    seconds: float = 0.0
    threads: int = 0
    memory_bytes: int = 0
    unreachable: int = 0
    """Hosts that did not answer in time: 32 at once are much for a machine that is all of them, and has other work."""

    def see(self, process: psutil.Process) -> None:
        try:
            self.threads = max(self.threads, process.num_threads())
            self.memory_bytes = max(self.memory_bytes, process.memory_info().rss)
        except psutil.Error:
            return


def measure() -> dict[str, Peak]:
    """What the first `apply`, and a `verify` after it, took."""
    with _directory() as directory, _server(directory) as server:
        ops = Ops(directory / "ops", Keys(server.home / "id_ed25519", server.home / "known_hosts"))
        furnish(ops)
        roots = directory / "roots"
        hosts = (
            HOST.format(
                number=number,
                net=number // 250,
                node=number % 250 + 1,
                port=server.port,
                key=server.fingerprint,
                root=roots / f"{number:03}",
            )
            for number in range(HOSTS)
        )
        ops.write("manifests/hosts.yaml", "".join(hosts))
        ops.commit("a crowd")
        first = last = _run(ops, "apply", "--yes")
        while last.unreachable:
            last = _run(ops, "apply", "--yes")
        again = _run(ops, "verify", "--detailed-exitcode")
        assert len(list(roots.glob("*/etc/bench-reconciler/*.conf"))) == HOSTS * 20
    return {"first": first, "again": again}


def _run(ops: Ops, *words: str) -> Peak:
    peak, over = Peak(), Event()
    started = time.perf_counter()
    with (ops.root.parent / "log").open("w") as log, ops.running(*words, out=log) as process:
        watched = psutil.Process(process.pid)

        def watch() -> None:
            while not over.wait(GLANCE_SECONDS):
                peak.see(watched)

        watcher = Thread(target=watch)
        watcher.start()
        process.wait()
        over.set()
        watcher.join()
    peak.seconds = time.perf_counter() - started
    told = (ops.root.parent / "log").read_text()
    peak.unreachable = told.count(" unreachable: ") + told.count(" could not be looked at\n")
    assert process.returncode == (3 if peak.unreachable else 0), told[-3000:]
    return peak


@contextmanager
def _plain_root(home: Path) -> Iterator[None]:
    """Root's login without what people wrote into its shell's start files, for as long as the block runs.

    Only for this run: it has a mount namespace of its own.
    """
    others = [line for line in PASSWD.read_text().splitlines() if not line.startswith("root:")]
    plain = home / "passwd"
    plain.write_text("\n".join([f"root:x:0:0::{home}:/bin/sh", *others, ""]))
    subprocess.run(["mount", "--bind", str(plain), str(PASSWD)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(PASSWD)], check=True)


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(mkdtemp(prefix="crowd-", dir="/run"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextmanager
def _server(directory: Path) -> Iterator[Sshd]:
    home = directory / "user"
    home.mkdir()
    keygen(directory / "host_ed25519")
    keygen(home / "id_ed25519")
    (home / "known_hosts").touch()
    shutil.copy(home / "id_ed25519.pub", directory / "authorized_keys")
    server = Sshd(directory, home, free_port(), listen="0.0.0.0")
    with _plain_root(home):
        server.start()
        try:
            yield server
        finally:
            server.stop()
