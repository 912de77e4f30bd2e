"""A command that reads manifests has what parses them loaded beside itself from its first moment on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
from reconciler import ahead, cli

def main():
    from reconciler.manifests import Loader
    from tests.unit.manifests.trees import fleet, host

    parser = ahead.begun()
    print(parser is not None and parser.ready, ahead.begun())
    print(*Loader(parser=parser).load(fleet(a=host("a"))).hosts, "pydantic" in sys.modules)
    return 0

cli.main = main
cli.entry()
"""


def told(*words: str, cache: Path) -> list[str]:
    """What is printed in place of what the words name."""
    environ = {**os.environ, "RECONCILER_CACHE_DIR": str(cache)}
    argv = [sys.executable, "-c", SCRIPT, *words]
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("words", ["", "apply --yes", "-v plan", "--dry-run", "-C elsewhere verify", "validate"])
def test_what_parses_is_begun_before_the_command_is_loaded_and_taken_once(words: str, tmp_path: Path) -> None:
    assert told(*words.split(), cache=tmp_path) == ["True None", "a web-1 False"]


@pytest.mark.parametrize("words", ["--version", "plan -h", "hosts", "-C plan hosts", "jobs list"])
def test_a_command_that_reads_no_manifests_begins_nothing(words: str, tmp_path: Path) -> None:
    assert told(*words.split(), cache=tmp_path)[0] == "False None"


def test_where_manifests_are_cached_nothing_is_begun(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "0-of-a-version").write_bytes(b"")

    assert told("plan", cache=tmp_path)[0] == "False None"


def test_a_process_that_was_begun_in_vain_ends_with_the_command(tmp_path: Path) -> None:
    script = "import sys\nfrom reconciler import cli\nfrom reconciler.cli import entry\ncli.main = lambda: 0\nentry()"
    reading, writing = os.pipe()
    environ = {**os.environ, "RECONCILER_CACHE_DIR": str(tmp_path)}
    started = subprocess.Popen([sys.executable, "-c", script, "plan"], env=environ, pass_fds=[writing])
    os.close(writing)

    assert started.wait(60) == 0
    assert os.read(reading, 1) == b"", "whoever has the other end still runs"
    os.close(reading)
