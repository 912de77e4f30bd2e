"""Work in a child process beside this one, where the machine has a processor to spare. Called by the loader.

YAML with its models and templates with theirs take about equally long to load and to read, and know nothing of each
other. Only a process with a single thread forks; everywhere else the work is done when its result is asked for.
"""

import contextlib
import os
import pickle
import threading
from collections.abc import Callable
from typing import IO, TypeVar

_T = TypeVar("_T")


def begin(work: Callable[[], _T]) -> Callable[[], _T]:
    """Begin some work whose result can be pickled; the returned function waits for it.

    What `work` raises in the child is raised by doing it again here.
    """
    if threading.active_count() > 1 or not hasattr(os, "fork") or len(_processors()) < 2:
        return work
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _do(work, os.fdopen(writing, "wb"))
    os.close(writing)
    return lambda: _result(child, os.fdopen(reading, "rb"), work)


def _processors() -> set[int]:
    found: set[int] = getattr(os, "sched_getaffinity", lambda _: set(range(os.cpu_count() or 1)))(0)
    return found


def _do(work: Callable[[], _T], pipe: IO[bytes]) -> None:
    """The child's whole life: nothing of its parent is flushed, closed or cleaned up by it."""
    with contextlib.suppress(BaseException):
        pickle.dump(work(), pipe, pickle.HIGHEST_PROTOCOL)
        pipe.flush()
    os._exit(0)


def _result(child: int, pipe: IO[bytes], work: Callable[[], _T]) -> _T:
    with pipe:
        try:
            found: _T = pickle.load(pipe)  # noqa: S301 - written by our own child
        except (EOFError, pickle.UnpicklingError):
            return work()
        finally:
            os.waitpid(child, 0)
    return found
