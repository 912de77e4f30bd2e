"""Plans of 10,000 hosts with 50,000 apps and a million resources.

`python -m tests.bench` calls `measure`. A fleet is written into the store as converged; then `reconcile --dry-run` is
timed as people run it, from the start of the process to its end, and in a process of its own what a watch does when one
file changes. Memory is the peak of the process.
"""

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from reconciler import settings
from reconciler.cli.watch import COLLECTIONS
from reconciler.loops.controlling.planning import Situation
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.planner.scope import WHOLE_FLEET
from reconciler.wiring.session import Access, Session, open_session
from tests.bench import fleet
from tests.bench.server import server

RECONCILE = Path(__file__).parents[2] / ".venv/bin/reconcile"
RUNS = 3
ROLE = fleet.HOSTS // fleet.ROLES
"""Hosts of one role, and so of one app."""
SHARED = (fleet.RESOURCES - 4) // 4
"""Files of an app that come from one template."""


def measure() -> dict[str, float]:
    """Seconds by what was done, the best of several runs, and megabytes by process."""
    with tempfile.TemporaryDirectory() as directory, server() as url:
        root, cache = Path(directory) / "fleet", Path(directory) / "cache"
        fleet.write(root)
        commit(root)
        given = {"RECONCILER_REDIS_URL": url, "RECONCILER_CACHE_DIR": str(cache)}
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | given
        found = _step("first", root, environment)
        colds = []
        for _ in range(RUNS):
            rmtree(cache, ignore_errors=True)
            colds.append(_dry_run(root, environment))
        warms = [_dry_run(root, environment) for _ in range(RUNS)]
        found |= _step("watch", root, environment)
    found |= {"cold": min(colds)[0], "warm": min(warms)[0]}
    found["memory_mb"] = max(found["memory_mb"], *(memory for _, memory in colds + warms))
    return found


def commit(root: Path) -> None:
    """Make the folder a git repository with one commit."""
    for argv in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "fleet"]):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.net", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", root, *identity, *argv], check=True)


def _dry_run(root: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds and megabytes of `reconcile --dry-run`, which finds nothing to do."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [RECONCILE, "--dry-run", "--detailed-exitcode", "--quiet"],
        cwd=root,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"reconcile --dry-run ended with {process.returncode}"
    return seconds, usage.ru_maxrss / 1000


def _step(name: str, root: Path, environment: Mapping[str, str]) -> dict[str, float]:
    argv = [sys.executable, "-m", "tests.bench.plan", name, str(root)]
    found: dict[str, float] = json.loads(
        subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE).stdout
    )
    return found


@contextmanager
def session(root: Path, access: Access) -> Iterator[Session]:
    """What a command or a watch plans with."""
    with open_session(settings.load(root, os.environ), access) as opened:
        yield opened


def first(root: Path) -> dict[str, float]:
    """Nothing is known of any host: all of the million resources are added. Then the store is told that all is done."""
    gc.disable()
    with session(root, Access.WRITE) as opened:
        started = time.perf_counter()
        situation = opened.planning.plan(opened.working_tree.tree(), WHOLE_FLEET)
        seconds = time.perf_counter() - started
        memory = peak_mb()
        _expect(situation, fleet.HOSTS * fleet.APPS_A_HOST * fleet.RESOURCES)
        converge(opened, situation)
    return {"first": seconds, "first_memory_mb": memory}


def converge(opened: Session, situation: Situation) -> None:
    """Write into the store what the hosts would report after this plan."""
    for plan in situation.plan.apps:
        app = situation.desired.hosts[plan.host][plan.app]
        applied = Applied(app.bundle, app.values, {change.resource: change.after for change in plan.changes})
        observed = ObservedApp(1, app.digest, AppStatus.CONVERGED)
        opened.store.observed.write(plan.host, {plan.app: (observed, applied)}, 1)


def watch(root: Path) -> dict[str, float]:
    """What a watch's turn takes to plan after one file was saved: of one host, and of an app or template of 1,000."""
    gc.set_threshold(*COLLECTIONS)
    with session(root, Access.WRITE) as opened:
        turn(opened, 0)
        hosts = [root / f"manifests/hosts/{first:05}.yaml" for first in range(0, 300, 100)]
        templates = [root / f"templates/app-{role}-0/0.conf.j2" for role in range(RUNS)]
        apps = [root / f"manifests/apps/app-{role}-0.yaml" for role in range(RUNS, 2 * RUNS)]
        shared, whole = SHARED * ROLE, 4 * SHARED * ROLE
        found = {
            "change_host": min(edited(opened, path, "zone: zone-", "zone: zone-9", 0) for path in hosts),
            "change_template": min(edited(opened, path, "root =", "path =", shared) for path in templates),
            "change_template_again": min(edited(opened, path, "listen =", "port =", shared) for path in templates),
            "change_app": min(edited(opened, path, "port: 8000", "port: 9000", whole) for path in apps),
        }
    return found | {"memory_mb": peak_mb()}


def edited(opened: Session, path: Path, old: str, new: str, changes: int) -> float:
    """Seconds of the turn after a file was changed; then it is changed back."""
    before = path.read_text()
    path.write_text(before.replace(old, new, 1))
    seconds = turn(opened, changes)
    path.write_text(before)
    turn(opened, 0)
    return seconds


def turn(opened: Session, changes: int) -> float:
    """Seconds of one plan as a watch makes it."""
    started = time.perf_counter()
    situation = opened.planning.plan(opened.working_tree.tree(), WHOLE_FLEET, texts=False)
    seconds = time.perf_counter() - started
    _expect(situation, changes)
    del situation
    gc.collect(1)  # as a watch does between its turns
    return seconds


def _expect(situation: Situation, changes: int) -> None:
    found = sum(1 for _ in situation.plan.changes())
    assert found == changes, f"{found} changes, expected {changes}"


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    steps: Mapping[str, Callable[[Path], dict[str, float]]] = {"first": first, "watch": watch}
    print(json.dumps(steps[sys.argv[1]](Path(sys.argv[2]))))
