"""A Valkey of our own on a free port of the loopback interface, from the binary that the embedded server uses."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.store.embedded import binary
from tests.ports import free_port


@contextmanager
def server() -> Iterator[str]:
    """Its URL; with an append-only file, synchronised every second, as in production."""
    port = free_port()
    directory = tempfile.mkdtemp(prefix="bench-")
    argv = [str(binary()), "--bind", "127.0.0.1", "--port", str(port), "--dir", directory]
    argv += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        _answers(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory)


def _answers(port: int) -> None:
    give_up = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return
