"""From a commit to all hosts converged, over a watch that is at work: many commits, one after the other settled.

A commit counts from the moment its push begins. It has arrived when the file on every host
holds it, seen from outside through the hosts' file systems; it is recorded when every host is known to have converged.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias

from tests.e2e.fleet import Fleet
from tests.e2e.ops import Ops

COMMITS = 40
PATIENCE_SECONDS = 60.0
GLANCE_SECONDS = 0.002
TEMPLATE = "templates/bench/07.conf.j2"
FILE = "etc/bench-reconciler/07.conf"


Recorded: TypeAlias = Callable[[], Mapping[str, float]]
"""Host -> when it was last recorded as converged, in seconds of Unix time."""


def measure(
    ops: Ops, fleet: Fleet, *, pushed: bool, recorded: Recorded | None = None
) -> tuple[list[float], list[float]]:
    """Seconds until each commit had arrived, and until it was recorded.

    Args:
        pushed: to a bare repository that the watch follows with --repo; otherwise it follows the working tree, where a
            commit counts from before its file is saved.
        recorded: what is asked; without it the watch's log.
    """
    recorded = recorded or (lambda: _told(ops))
    times = []
    with _watching(ops, pushed=pushed):
        for number in range(-1, COMMITS):  # the first makes sure that the watch is at work
            before = recorded() if number >= 0 else {}
            arrived, started = _change(
                ops, fleet, f"commit {number}, {'pushed' if pushed else 'saved'}\n", pushed=pushed
            )
            _wait(lambda before=before: _later(recorded(), before, fleet), ops)  # type: ignore[misc]
            times.append((arrived - started, max(recorded().values()) - started))
    return [arrived for arrived, _ in times[1:]], [recorded for _, recorded in times[1:]]


def _change(ops: Ops, fleet: Fleet, text: str, *, pushed: bool) -> tuple[float, float]:
    """When the text was on all hosts, and when it began its way there."""
    started = time.time()
    ops.write(TEMPLATE, text)
    ops.commit("change")
    if pushed:
        started = time.time()
        ops.git("push", "--quiet", "origin", "main")
    _wait(lambda: all(_text(fleet, name) == text for name in fleet.hosts), ops)
    return time.time(), started


def _later(after: Mapping[str, float], before: Mapping[str, float], fleet: Fleet) -> bool:
    return all(after.get(name, 0) > before.get(name, 0) for name in fleet.hosts)


@contextmanager
def _watching(ops: Ops, *, pushed: bool) -> Iterator[None]:
    words: tuple[str, ...] = ()
    if pushed:
        bare = ops.root.parent / "bare.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", str(ops.root), str(bare)], check=True)
        ops.git("remote", "add", "origin", str(bare))
        words = ("--repo", str(bare))
    with ops.watching(*words):
        _wait(lambda: '"planned"' in ops.watch_log, ops)
        yield


def _text(fleet: Fleet, name: str) -> str:
    file = fleet[name].files / FILE
    return file.read_text() if file.exists() else ""


def _told(ops: Ops) -> Mapping[str, float]:
    """What the watch said."""
    events = (json.loads(line) for line in ops.watch_log.splitlines() if '"converged"' in line)
    return {event["host"]: datetime.fromisoformat(event["timestamp"]).timestamp() for event in events}


def _wait(condition: Callable[[], bool], ops: Ops) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, ops.watch_log[-3000:]
        time.sleep(GLANCE_SECONDS)
