"""The fleet's Redis: on this side of the bridge, where hosts reach it over the network."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.store.embedded import binary
from tests.e2e.fleet import OPS_ADDRESS
from tests.waiting import until

_PORT = 6379


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """A server with an aclfile; the URL of its administrator."""
    password = secrets.token_hex(16)
    directory.mkdir(parents=True)
    users = directory / "users.acl"
    users.write_text(f"user default on >{password} ~* &* +@all\n")
    where = ["--port", str(_PORT), "--bind", OPS_ADDRESS, "--dir", str(directory), "--save", ""]
    with subprocess.Popen([str(binary()), *where, "--aclfile", str(users)], stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: reachable(_PORT), "the fleet's Redis")
            yield f"redis://:{password}@{OPS_ADDRESS}:{_PORT}/0"
        finally:
            process.kill()


def reachable(port: int) -> bool:
    """Whether something listens on this side of the bridge."""
    with socket.socket() as probe:
        return probe.connect_ex((OPS_ADDRESS, port)) == 0
