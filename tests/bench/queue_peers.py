"""No-op jobs per second of other work queues, one worker process each, on a server of ours.

`python -m tests.bench` calls `measure`; the peers run in the environment `.bench`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.server import server

ROOT = Path(__file__).parents[2]
FORGETFUL = "dramatiq, no results"
JOBS = {"rq": 400, "saq": 3_000, "arq": 3_000, "dramatiq": 4_000, "taskiq": 4_000, FORGETFUL: 4_000}
PATIENCE_SECONDS = 60.0


def measure() -> dict[str, float]:
    """Jobs per second by the name of the peer; a peer that could not be run is told and left out."""
    found = {}
    for peer, jobs in JOBS.items():
        rate = _measure(peer, jobs)
        if rate:
            found[peer] = rate
        else:
            print(f"{peer} did not finish {jobs} jobs in {PATIENCE_SECONDS:.0f} s", file=sys.stderr)
    return found


def _measure(peer: str, jobs: int) -> float:
    with tempfile.TemporaryDirectory() as directory, server() as url:
        done = Path(directory) / "done"
        done.touch()
        environment = {**os.environ, "PEER_REDIS_URL": url, "PEER_DONE": str(done), "PYTHONPATH": str(ROOT)}
        environment["PEER_RESULTS"] = "no" if peer == FORGETFUL else "yes"
        module = f"tests.bench.peers.with_{peer.partition(',')[0]}"
        _python(f"from {module} import enqueue; enqueue({jobs})", environment)
        argv = _python(f"from {module} import WORKER; print(*WORKER, sep='\\n')", environment).split("\n")
        with _worker(argv, environment):
            # The first tenth warms up: imports, connections, caches.
            started = _reached(done, jobs // 10)
            ended = _reached(done, jobs)
        return jobs * 0.9 / (ended - started) if started and ended else 0.0


def _python(script: str, environment: dict[str, str]) -> str:
    argv = [str(ROOT / ".bench/bin/python"), "-c", script]
    run = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.strip()


@contextmanager
def _worker(argv: list[str], environment: dict[str, str]) -> Iterator[None]:
    command = [str(ROOT / ".bench/bin" / argv[0]), *argv[1:]]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(10)
        worker.kill()
        worker.wait()


def _reached(done: Path, jobs: int) -> float:
    """When that many jobs were done; 0 if they are not within the time."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        if done.stat().st_size >= jobs:
            return time.monotonic()
        time.sleep(0.002)
    return 0.0


if __name__ == "__main__":
    for name, rate in measure().items():
        print(f"{name:10} {rate:8,.0f}/s")
