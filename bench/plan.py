"""Plans of 10,000 hosts with 50,000 apps and a million resources, each step in a fresh process.

`python -m bench` calls `measure`; a step is this module called with its name. Memory is the peak of the step's process.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench import fleet
from bench.server import server
from reconciler import settings
from reconciler.clock import SystemClock
from reconciler.loops.known_secrets import KnownSecrets
from reconciler.loops.planning import Planning, Situation
from reconciler.loops.reach import Reach, Ssh
from reconciler.manifests import Loader
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.planner import Composer, Scope
from reconciler.source.working_tree import WorkingTree
from reconciler.store import open_store

STEPS = ("first", "cold", "warm", "change")


def measure() -> dict[str, float]:
    """Seconds by step, and `memory_mb`, the largest of the steps with a converged fleet."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory, server() as url:
        root = Path(directory) / "fleet"
        fleet.write(root)
        commit(root)
        environment = {
            **os.environ,
            "RECONCILER_REDIS_URL": url,
            "RECONCILER_CACHE_DIR": str(Path(directory) / "cache"),
        }
        for step in STEPS:
            argv = [sys.executable, "-m", "bench.plan", step, str(root)]
            answer = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE).stdout
            numbers = json.loads(answer)
            memory = "first_memory_mb" if step == "first" else "memory_mb"
            found[memory] = max(found.get(memory, 0.0), numbers.pop("memory_mb"))
            found |= numbers
    return found


def commit(root: Path) -> None:
    """Make the folder a git repository with one commit."""
    for argv in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "fleet"]):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.net", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", root, *identity, *argv], check=True)


class NoSecrets:
    """The made-up fleet has none."""

    def resolve(self, paths: Iterable[str]) -> Mapping[str, str]:
        return dict.fromkeys(paths, "")


def no_ssh() -> Ssh:
    """A plan asks no host."""
    raise AssertionError("a plan asked a host")


class Planner:
    """Plans as the watcher does: the same objects from one plan to the next."""

    def __init__(self, root: Path, *, cached: bool) -> None:
        found = settings.load(root, os.environ)
        self.store = open_store(found)
        self._scope = Scope()
        self._tree = WorkingTree(root)
        self._planning = Planning(
            store=self.store,
            loader=Loader(found.cache_dir if cached else None),
            composer=Composer(),
            reach=Reach(root, dict, SystemClock(), no_ssh),
            secrets=KnownSecrets(NoSecrets(), b"k" * 32),
            clock=SystemClock(),
        )

    def plan(self) -> Situation:
        """One plan, from the files on disk."""
        return self._planning.plan(self._tree.tree(), self._scope)


def first(root: Path) -> dict[str, float]:
    """Nothing is known of any host: all of the million resources are added. Then the store is told that all is done."""
    planner = Planner(root, cached=False)
    started = time.perf_counter()
    situation = planner.plan()
    seconds = time.perf_counter() - started
    memory = peak_mb()
    assert len(list(situation.plan.changes())) == fleet.HOSTS * fleet.APPS_A_HOST * fleet.RESOURCES
    converge(planner, situation)
    return {"first": seconds, "memory_mb": memory}


def converge(planner: Planner, situation: Situation) -> None:
    """Write into the store what the hosts would report after this plan."""
    for plan in situation.plan.apps:
        app = situation.desired.hosts[plan.host][plan.app]
        applied = Applied(app.bundle, app.values, {change.resource: change.after for change in plan.changes})
        observed = ObservedApp(1, app.digest, AppStatus.CONVERGED)
        planner.store.observed.write(plan.host, {plan.app: (observed, applied)}, 1)


def cold(root: Path) -> dict[str, float]:
    """A converged fleet, nothing parsed before."""
    return {"cold": _no_changes(Planner(root, cached=False)), "memory_mb": peak_mb()}


def warm(root: Path) -> dict[str, float]:
    """A converged fleet, the parsed manifests cached on disk by their blob hash."""
    _no_changes(Planner(root, cached=True))  # fills the cache
    argv = [sys.executable, "-m", "bench.plan", "cached", str(root)]
    answer = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    numbers: dict[str, float] = json.loads(answer)
    return numbers


def cached(root: Path) -> dict[str, float]:
    """The second half of `warm`."""
    return {"warm": _no_changes(Planner(root, cached=True)), "memory_mb": peak_mb()}


def change(root: Path) -> dict[str, float]:
    """In watch mode: one label of one host, one value of an app on 1,000 hosts."""
    planner = Planner(root, cached=True)
    planner.plan()
    hosts = root / "manifests/hosts/00000.yaml"
    label = _timed(planner, hosts, hosts.read_text().replace("zone: zone-0", "zone: zone-9", 1), 0)
    app = root / "manifests/apps/app-0-0.yaml"
    files = (fleet.RESOURCES - 4) * fleet.HOSTS // fleet.ROLES
    value = _timed(planner, app, app.read_text().replace("port: 8000", "port: 9000", 1), files)
    return {"change_host": label, "change_app": value, "memory_mb": peak_mb()}


def _timed(planner: Planner, path: Path, text: str, changes: int) -> float:
    path.write_text(text)
    started = time.perf_counter()
    found = len(list(planner.plan().plan.changes()))
    seconds = time.perf_counter() - started
    assert found == changes, f"{found} changes, expected {changes}"
    return seconds


def _no_changes(planner: Planner) -> float:
    started = time.perf_counter()
    plan = planner.plan().plan
    seconds = time.perf_counter() - started
    assert plan.empty
    return seconds


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    steps: Mapping[str, Callable[[Path], dict[str, float]]] = {
        "first": first,
        "cold": cold,
        "warm": warm,
        "cached": cached,
        "change": change,
    }
    print(json.dumps(steps[sys.argv[1]](Path(sys.argv[2]))))
