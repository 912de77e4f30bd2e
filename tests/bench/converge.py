"""Converging an app of 1,000 files on a local sandbox host: the first time, and again when all is right already."""

import tempfile
import time
from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.resources.protocol import Finished, Request, Wanted
from reconciler.transport.local import LocalTransport

FILES = 1_000
RUNS = 5


def measure() -> dict[str, float]:
    """Seconds: `first`, and `again`, the best of several."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        first = _seconds(root, 1, FILES)
        again = min(_seconds(root, generation, 0) for generation in range(2, 2 + RUNS))
    return {"first": first, "again": again}


def _seconds(root: Path, generation: int, changes: int) -> float:
    transport = LocalTransport("bench", "bench", root, dict, SystemClock())
    started = time.perf_counter()
    *_, last = transport.apply(request(generation))
    seconds = time.perf_counter() - started
    transport.close()
    assert isinstance(last, Finished)
    assert (last.status, last.changed) == ("converged", changes), last
    return seconds


def request(generation: int) -> Request:
    """One app with 1,000 small files."""
    return Request("bench", "bench", "files", generation, "d", tuple(wanted(number) for number in range(FILES)))


def wanted(number: int) -> Wanted:
    """One file, as the executor hands it over."""
    path = f"/etc/bench/{number:04}.conf"
    text = f"# file {number}\n" + "setting = value\n" * 20
    fields = {"path": path, "content": text, "mode": "0644"}
    return Wanted(f"file:{path}", "file", path, fields, f"{number}")
