"""How long `reconcile` takes to answer: its version, and a check of 100 manifests. The best of several runs."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench import fleet

ROOT = Path(__file__).parents[1]
RUNS = 7


def measure() -> dict[str, float]:
    """Seconds of wall time by command."""
    with tempfile.TemporaryDirectory() as directory:
        write_manifests(Path(directory))
        return {
            "version": best(["--version"], Path(directory)),
            "validate": best(["validate"], Path(directory)),
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


def best(arguments: list[str], directory: Path) -> float:
    """The fastest of several runs: what the command costs when nothing else disturbs it."""
    return min(_seconds([str(ROOT / ".venv/bin/reconcile"), *arguments], directory) for _ in range(RUNS))


def _seconds(argv: list[str], directory: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(argv, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
