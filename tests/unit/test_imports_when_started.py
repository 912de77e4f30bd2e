"""A command loads only what it needs; libraries are the most of what a start costs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """\
import sys
from reconciler.cli import main
try:
    code = main(sys.argv[1:])
finally:
    print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def loaded_by(*arguments: str, **variables: str) -> set[str]:
    argv, environ = [sys.executable, "-c", SCRIPT, *arguments], {**os.environ, **variables}
    run = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_the_version_needs_no_library_at_all() -> None:
    assert (
        loaded_by("--version") & {"pydantic", "ruamel", "jinja2", "redis", "rich", "structlog", "git", "psutil"}
        == set()
    )


def test_a_plan_loads_nothing_that_reaches_hosts_over_ssh() -> None:
    assert "paramiko" not in loaded_by("--dry-run")


def test_validating_loads_neither_redis_nor_what_shows_progress_nor_what_reaches_hosts() -> None:
    assert loaded_by("validate") & {"redis", "rich", "structlog", "git", "psutil", "paramiko", "watchfiles"} == set()


def test_validating_the_same_files_again_loads_nothing_that_reads_them(tmp_path: Path) -> None:
    loaded_by("validate", RECONCILER_CACHE_DIR=str(tmp_path))

    again = loaded_by("validate", RECONCILER_CACHE_DIR=str(tmp_path))
    assert again & {"jinja2", "pydantic", "ruamel"} == set()


def test_validating_other_templates_of_known_manifests_loads_nothing_that_parses_manifests(tmp_path: Path) -> None:
    loaded_by("validate", RECONCILER_CACHE_DIR=str(tmp_path))
    for verdict in (tmp_path / "verdicts").iterdir():
        verdict.unlink()

    again = loaded_by("validate", RECONCILER_CACHE_DIR=str(tmp_path))
    assert again & {"jinja2", "pydantic", "ruamel"} == {"jinja2"}


def test_an_agent_loads_nothing_that_only_the_ops_server_needs() -> None:
    script = "import sys, reconciler.cli.agent, reconciler.wiring.agent; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"git", "pydantic", "ruamel", "paramiko", "watchfiles", "reconciler.manifests"}.isdisjoint(loaded)


def test_reaching_hosts_loads_a_part_of_paramiko_and_whoever_asks_for_more_gets_it() -> None:
    script = """\
import sys
import reconciler.transport.ssh
print("importlib.metadata" in sys.modules, "paramiko.client" in sys.modules, "invoke" in sys.modules)
import paramiko
print(len(paramiko.key_classes), "paramiko.client" in sys.modules)
print(paramiko.io_sleep, paramiko.SSHClient.__name__)
print(paramiko.Transport is reconciler.transport.dialing.paramiko.Transport)
print(hasattr(paramiko, "Nothing"))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["False False False", "3 False", "0.01 SSHClient", "True", "False"]


def test_verifying_loads_what_signs_and_plans_only_when_hosts_are_dialed() -> None:
    script = """\
import sys
import reconciler.cli.verify, reconciler.cli.sessions
from reconciler.loops.hosts.reach import Reach
from reconciler.loops.controlling.loading import load
print(*sorted({name for name in sys.modules if name.split(".")[0] in {"jinja2", "redis", "nacl", "psutil"}}))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "\n"
