"""From a commit to all hosts converged, over a watch that is at work: many commits, one after the other settled.

A commit counts from the moment its push begins. It has arrived when the file on every host
holds it, seen from outside through the hosts' file systems; it is recorded when the watch has said so of every host.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from tests.e2e.fleet import Fleet
from tests.e2e.ops import Ops

COMMITS = 40
PATIENCE_SECONDS = 60.0
GLANCE_SECONDS = 0.002
TEMPLATE = "templates/bench/07.conf.j2"
FILE = "etc/bench-reconciler/07.conf"


def measure(ops: Ops, fleet: Fleet, *, pushed: bool) -> tuple[list[float], list[float]]:
    """Seconds until each commit had arrived, and until it was recorded.

    Args:
        pushed: to a bare repository that the watch follows with --repo; otherwise it follows the working tree, where a
            commit counts from before its file is saved.
    """
    arrived, recorded = [], []
    with _following(ops, fleet, pushed=pushed):
        for number in range(COMMITS):
            text = f"commit {number} of {'pushed' if pushed else 'saved'}\n"
            before = len(_converged(ops))
            started = time.time()
            ops.write(TEMPLATE, text)
            ops.commit(f"change {number}")
            if pushed:
                started = time.time()
                ops.git("push", "--quiet", "origin", "main")
            _wait(lambda text=text: all(_text(fleet, name) == text for name in fleet.hosts), ops)  # type: ignore[misc]
            arrived.append(time.time() - started)
            _wait(lambda before=before: len(_converged(ops)) >= before + len(fleet.hosts), ops)  # type: ignore[misc]
            recorded.append(max(_converged(ops)[before:]) - started)
    return arrived, recorded


@contextmanager
def _following(ops: Ops, fleet: Fleet, *, pushed: bool) -> Iterator[None]:
    words: tuple[str, ...] = ()
    if pushed:
        bare = ops.root.parent / "bare.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", str(ops.root), str(bare)], check=True)
        ops.git("remote", "add", "origin", str(bare))
        words = ("--repo", str(bare))
    with ops.watching(*words):
        _wait(lambda: all(_text(fleet, name) for name in fleet.hosts), ops)
        text = f"watched, {'pushed' if pushed else 'saved'}\n"
        ops.write(TEMPLATE, text)
        ops.commit("the watch is at work")
        if pushed:
            ops.git("push", "--quiet", "origin", "main")
        _wait(lambda: all(_text(fleet, name) == text for name in fleet.hosts), ops)
        _wait(lambda: len(_converged(ops)) >= len(fleet.hosts), ops)
        yield


def _text(fleet: Fleet, name: str) -> str:
    file = fleet[name].files / FILE
    return file.read_text() if file.exists() else ""


def _converged(ops: Ops) -> list[float]:
    """When the watch said that a host has converged."""
    events = (json.loads(line) for line in ops.watch_log.splitlines() if '"converged"' in line)
    return [datetime.fromisoformat(event["timestamp"]).timestamp() for event in events]


def _wait(condition: Callable[[], bool], ops: Ops) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, ops.watch_log[-3000:]
        time.sleep(GLANCE_SECONDS)
