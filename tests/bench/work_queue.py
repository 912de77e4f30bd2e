"""How many no-op runs a second one process claims and finishes, records kept, across many hosts.

Run by `make bench`, and by hand: `python -m tests.bench.work_queue [--runs 20000] [--hosts 1000] [--batch 200]` starts
its own server (append-only file, fsync every second) and speaks to it over a unix socket and over loopback.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reconciler.clock import SystemClock
from reconciler.model.work import RUN, Claim, Work, WorkState
from reconciler.store import Finish, Store
from reconciler.store.embedded import binary
from reconciler.store.opening import at_url
from tests.ports import free_port

EACH = 10
"""Runs of a host that are claimed at once; an executor asks for up to 100."""
THREADS = 4
"""Of the one process that claims and finishes; an executor has up to 32, one a host."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=200)
    options = parser.parse_args()
    print(f"{'transport':<12} {'enqueue/s':>12} {'claim+finish/s':>16}")
    with server() as urls:
        for name, url in urls.items():
            with Store(at_url(url, SystemClock())) as store:
                enqueued, finished = measure(store, options.runs, options.hosts, options.batch)
            print(f"{name:<12} {enqueued:>12,.0f} {finished:>16,.0f}")


def measure(store: Store, runs: int, hosts: int, batch: int) -> tuple[float, float]:
    """Runs enqueued, and runs claimed and finished, each a second."""
    names = [f"host-{number}" for number in range(hosts)]
    items = [Work(f"run-{number:08}", names[number % hosts], RUN) for number in range(runs)]
    started = time.perf_counter()
    for first in range(0, runs, batch):
        store.work.enqueue(items[first : first + batch])
    enqueued = runs / (time.perf_counter() - started)

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        parts = [items[part::THREADS] for part in range(THREADS)]
        done = sum(threads.map(lambda part: _serve(store, part, batch), parts))
    seconds = time.perf_counter() - started
    kept = sum(store.work.get(item.host, item.id) is not None for item in items[:: max(1, runs // 100)])
    if done != runs or not kept:
        raise SystemExit(f"{done} of {runs} runs were finished, {kept} records were kept")
    for name in names:
        store.desired.forget(name, 0)
    return enqueued, runs / seconds


def _serve(store: Store, runs: Sequence[Work], batch: int) -> int:
    """Claim and finish all runs of the hosts that these are for: how many they were."""
    hosts, done = sorted({run.host for run in runs}), 0
    for number, some in enumerate(batches(hosts, batch // EACH)):
        claims = store.work.claim_many(some, holder="bench", nonce=f"bench-{hosts[0]}-{number}", limit=EACH)
        done += sum(store.work.finish_many([finished(claim) for claim in claims]))
        if done >= len(runs):
            return done
    return done


def finished(claim: Claim) -> Finish:
    return Finish(claim, WorkState.SUCCEEDED, {"exit_code": 0})


def batches(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """All names again and again, `size` at a time."""
    while True:
        for first in range(0, len(names), size):
            yield names[first : first + size]


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """A Valkey of its own, by both ways to reach it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        path, port = f"{directory}/valkey.sock", free_port()
        listen = f"--port {port} --bind 127.0.0.1 --unixsocket {path}"
        keep = f"--appendonly yes --appendfsync everysec --dir {directory}"
        argv = [str(binary()), *listen.split(), *keep.split(), "--save", ""]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        try:
            while not Path(path).exists():
                time.sleep(0.01)
            yield {"unix socket": f"unix://{path}", "loopback": f"redis://127.0.0.1:{port}/0"}
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
