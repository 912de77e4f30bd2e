"""Work in a child process: its result comes back, and its end never loses any."""

import subprocess
import sys

import pytest

SCRIPT = """
import os
from reconciler.manifests.apart import begin
parent = os.getpid()

def work():
    {work}

try:
    print(begin(work)())
except ValueError as error:
    print("raised", error)
"""


def _told(work: str, threads: str = "") -> str:
    """What a process prints that begins this work; `threads` runs before."""
    script = SCRIPT.format(work=work)
    run = subprocess.run([sys.executable, "-c", threads + script], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_a_process_with_one_thread_works_in_a_child() -> None:
    assert _told("return os.getpid() != parent") == "True"


def test_beside_other_threads_nothing_is_forked() -> None:
    waiting = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert _told("return os.getpid() != parent", f"{waiting}\n") == "False"


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"])
def test_the_work_of_a_child_that_ends_is_done_here(end: str) -> None:
    assert _told(f"if os.getpid() != parent: {end}\n    return 'done'") == "done"


def test_what_the_work_raises_is_raised_here() -> None:
    assert _told("raise ValueError('no')") == "raised no"
