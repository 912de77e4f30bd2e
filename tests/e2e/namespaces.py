"""Runs a command in namespaces of its own: what it mounts, starts and plugs together ends with it, however it ends.

Used to build the root and to run the fleet. The kernel cleans up: when the first process of a PID namespace is gone it
kills the others, and mounts, interfaces and the files in the namespace's /run go with the last of them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from tests.e2e.cgroups import own_groups

_NEW_MOUNTS, _NEW_PIDS, _NEW_NETWORK = 0x00020000, 0x20000000, 0x40000000  # sched.h
_SIGNAL_OF_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LIBC = ctypes.CDLL(None, use_errno=True)


def run_enclosed(argv: Sequence[str], environment: Mapping[str, str] | None = None, *, offline: bool) -> int:
    """Run a command to its end in new mount and PID namespaces, with a private /run; its exit code.

    Args:
        argv: the command.
        environment: added to this process's own.
        offline: in a network namespace too, where there is nothing but what the command makes.
    """
    with own_groups() as groups:
        everything = {**os.environ, **groups, **(environment or {})}
        return _in_child(lambda: _enclose(argv, everything, offline=offline))


def may_enclose() -> bool:
    """Whether this process may make such namespaces."""
    return _in_child(lambda: _unshare(offline=True)) == 0


def _enclose(argv: Sequence[str], environment: Mapping[str, str], *, offline: bool) -> int:
    os.setsid()  # Ctrl-C on a terminal reaches the outermost process only, which forwards it once
    _unshare(offline=offline)
    return _in_child(lambda: _first_process(argv, environment, offline=offline))


def _first_process(argv: Sequence[str], environment: Mapping[str, str], *, offline: bool) -> int:
    """Furnish the namespaces, run the command, and wait meanwhile for all orphans, as a first process must."""
    for furnish in (
        "mount --make-rprivate /",
        "mount -t proc proc /proc",
        "mount -t tmpfs -o mode=0755 tmpfs /run",
        "ip link set lo up" if offline else "true",
    ):
        subprocess.run(furnish.split(), check=True)
    command = subprocess.Popen(argv, env=environment, start_new_session=True)
    with _forwarding_to(command.pid):
        while True:
            pid, status = os.wait()
            if pid == command.pid:
                return _exit_code(status)


def _in_child(act: Callable[[], int]) -> int:
    """What `act` returns in a child of this process, which dies with this process."""
    child = os.fork()
    if child == 0:
        try:
            _libc("prctl", _SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL)
            os._exit(act())
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"e2e: {error}", file=sys.stderr)
        finally:
            os._exit(1)
    with _forwarding_to(child):
        return _exit_code(os.waitpid(child, 0)[1])


@contextmanager
def _forwarding_to(pid: int) -> Iterator[None]:
    def forward(number: int, frame: FrameType | None) -> None:
        os.kill(pid, number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _unshare(*, offline: bool) -> int:
    _libc("unshare", _NEW_MOUNTS | _NEW_PIDS | (_NEW_NETWORK if offline else 0))
    return 0


def _libc(function: str, *arguments: int) -> None:
    if getattr(_LIBC, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
