"""Work in a child process: it gets ready before it is asked, its result comes back, and its end never loses any."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from reconciler.apart import Apart
parent = os.getpid()

def load():
    {load}

def work(given):
    {work}

apart = Apart(load, work)
{steps}
"""
ASK = """
try:
    print(apart.begin(1)())
except ValueError as error:
    print("raised", error)
"""
LEFT = """
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child,", len(os.listdir("/proc/self/fd")) - fds, "descriptors more")
"""
COUNT = "fds = len(os.listdir('/proc/self/fd'))\n"


def _told(work: str = "return given + 1", *, steps: str = ASK, load: str = "pass", before: str = "") -> str:
    """What a process prints that does some steps with this work; `before` runs first."""
    script = before + SCRIPT.format(work=work, load=load, steps=steps)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    return run.stdout.strip()


def test_a_process_with_one_thread_works_in_a_child() -> None:
    assert _told("return os.getpid() != parent, given + 1") == "(True, 2)"


def test_a_child_that_got_ready_has_loaded_what_the_work_takes() -> None:
    ready = "apart.get_ready()\napart.get_ready()\nprint(apart.ready)"
    told = _told("return 'decimal' in sys.modules", load="import decimal", steps=f"{ready}{ASK}print(apart.ready)")

    assert told.split() == ["True", "True", "False"]


def test_a_child_holds_neither_input_nor_output_of_its_parent() -> None:
    told = _told("return {os.readlink(f'/proc/self/fd/{stream}') for stream in range(3)}")
    assert told == "{'/dev/null'}"


def test_beside_other_threads_nothing_is_forked() -> None:
    waiting = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    steps = f"apart.get_ready()\nprint(apart.ready){ASK}"
    assert _told("return os.getpid() != parent", steps=steps, before=waiting).split() == ["False", "False"]


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"])
def test_the_work_of_a_child_that_ends_is_done_here(end: str) -> None:
    dies = f"if os.getpid() != parent: {end}"
    assert _told(f"{dies}\n    return 'done'") == "done"
    assert _told("return 'done'", load=dies) == "done"


STOPS = "if os.getpid() != parent: os.kill(os.getpid(), signal.SIGSTOP)"
BRIEF = "import signal\nfrom reconciler import apart as parsing\nparsing.SILENT_SECONDS = 0.2\n"


def test_the_work_of_a_child_that_falls_silent_is_done_here() -> None:
    assert _told(f"{STOPS}\n    return 'done'", before=BRIEF) == "done"
    assert _told("return 'done'", load=STOPS, before=BRIEF) == "done"
    much = "print(len(apart.begin(bytes(1 << 22))()))"
    assert _told("return given", load=STOPS, steps=much, before=BRIEF) == str(1 << 22)


def test_the_work_of_a_child_that_falls_silent_while_it_tells_is_done_here() -> None:
    midway = f"class Midway:\n    def __reduce__(self):\n        {STOPS}\n        return (str, ())\n"
    before = f"import os; parent = os.getpid()\n{BRIEF}{midway}"

    assert _told("return [bytes(1 << 22), Midway()]", steps="print(len(apart.begin(1)()))", before=before) == "2"


def test_a_child_that_falls_silent_is_ended() -> None:
    assert _told(STOPS, steps=COUNT + "apart.begin(1)()" + LEFT, before=BRIEF) == "no child, 0 descriptors more"


def test_the_work_of_a_child_that_was_ended_before_it_was_asked_is_done_here() -> None:
    ended = "apart.get_ready()\nos.kill(apart._child._pid, 9)\n"
    much = "print(apart.begin(bytes(1 << 22))())"

    assert _told("return len(given)", steps=ended + much) == str(1 << 22)


def test_nobody_waits_until_a_child_has_loaded_to_give_it_much() -> None:
    """The child loads until it is told to go on, which happens after it was given its work."""
    gate = "import os; shut, opening = os.pipe()\n"
    steps = "found = apart.begin(bytes(1 << 22))\nos.write(opening, b'.')\nprint(len(found()))"

    assert _told("return given", load="os.read(shut, 1)", steps=steps, before=gate) == str(1 << 22)


def test_what_the_work_raises_is_raised_here() -> None:
    assert _told("raise ValueError('no')") == "raised no"


def test_more_than_a_pipe_holds_goes_both_ways() -> None:
    assert _told("return given", steps="print(len(apart.begin(bytes(1 << 22))()))") == str(1 << 22)


@pytest.mark.parametrize(
    "steps",
    [
        "apart.begin(1)()",
        "apart.get_ready(); apart.close(); apart.close()",
        "apart.begin(1); apart.close()",
        "apart.get_ready(); apart.begin(1)(); apart.begin(2)()",
    ],
    ids=["asked", "never asked", "not waited for", "asked again"],
)
def test_neither_a_child_nor_a_pipe_is_left(steps: str) -> None:
    for work in ("return 1", "os._exit(3) if os.getpid() != parent else None"):
        assert _told(work, steps=COUNT + steps + LEFT) == "no child, 0 descriptors more"


def test_whoever_started_us_may_ignore_the_end_of_children() -> None:
    ignored = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"

    assert _told("return os.getpid() != parent", before=ignored) == "True"
    steps = COUNT + "apart.get_ready(); apart.close()" + LEFT
    assert _told(steps=steps, before=ignored) == "no child, 0 descriptors more"


def test_where_no_process_more_is_to_be_had_the_work_is_done_here() -> None:
    refused = "import os\ndef fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')\nos.fork = fork\n"

    assert _told("return os.getpid() != parent", before=refused) == "False"
    assert _told(steps=COUNT + "apart.begin(1)()" + LEFT, before=refused) == "no child, 0 descriptors more"


def test_a_child_ends_with_its_parent() -> None:
    """The pipe that this test reads stays open for as long as the child lives."""
    steps = "apart.get_ready()\nprint(apart.ready)\nsys.stdout.flush()\nos._exit(0)"

    assert _told(steps=steps) == "True"
