"""How long `reconcile` takes to answer: its version, and a check of 100 manifests. The best of several runs."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from shutil import rmtree

from tests.bench import fleet

RECONCILE = Path(__file__).parents[2] / ".venv/bin/reconcile"
RUNS = 7


def measure() -> dict[str, float]:
    """Seconds of wall time by command."""
    with tempfile.TemporaryDirectory() as directory:
        root, cache = Path(directory) / "fleet", Path(directory) / "cache"
        write_manifests(root)
        return {
            "version": min(_seconds(["--version"], root, cache) for _ in range(RUNS)),
            "cold": min(_cold(root, cache) for _ in range(RUNS)),
            "changed": min(_changed(root, cache, run) for run in range(RUNS)),
            "same": min(_seconds(["validate"], root, cache) for _ in range(RUNS)),
        }


def write_manifests(root: Path) -> None:
    """100 manifests in 100 files: a Fleet, 49 apps with a template each, 50 hosts."""
    fleet.write(root, hosts=0, templates=1)
    (root / "manifests/apps/app-9-4.yaml").unlink()
    for group in (root / "manifests/groups").iterdir():
        group.unlink()
    (root / "manifests/hosts").mkdir(exist_ok=True)
    for number in range(50):
        (root / f"manifests/hosts/{number}.yaml").write_text(fleet.host(number))


def _cold(root: Path, cache: Path) -> float:
    rmtree(cache, ignore_errors=True)
    return _seconds(["validate"], root, cache)


def _changed(root: Path, cache: Path, run: int) -> float:
    for file in ("manifests/hosts/0.yaml", "templates/app-0-0/0.conf.j2"):
        with (root / file).open("a") as text:
            text.write(f"# {run}\n")
    return _seconds(["validate"], root, cache)


def _seconds(arguments: list[str], root: Path, cache: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["RECONCILER_CACHE_DIR"] = str(cache)
    started = time.perf_counter()
    subprocess.run([RECONCILE, *arguments], cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
