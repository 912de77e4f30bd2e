"""Work in a child process beside this one, where the machine has a processor to spare. Called by the loader.

YAML with its models and templates with theirs take about equally long to load and to read, and know nothing of each
other. What the work needs can be loaded by the child before anyone knows what there is to do. Only a process with a
single thread forks; everywhere else the work is done when its result is asked for. So it is, too, where a child ends or
falls silent: it can cost time, never the result.
"""

import contextlib
import io
import os
import pickle
import select
import signal
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")

_GONE = (OSError, EOFError, pickle.UnpicklingError)
"""How it shows that a child has ended, or is as good as gone."""
SILENT_SECONDS = 60.0
"""How long a child may say nothing, once its result is waited for: one that was stopped or hangs never will. In this
time it would parse more than 100,000 manifests."""


class Apart(Generic[_Given, _Result]):
    """One piece of work at a time; what it is given, and its result, can be pickled.

    Args:
        load: loads what the work needs.
        work: what it raises in the child is raised by doing it again here.
    """

    def __init__(self, load: Callable[[], object], work: Callable[[_Given], _Result]) -> None:
        self._load = load
        self._work = work
        self._child: _Child | None = None

    @property
    def ready(self) -> bool:
        """Whether a child waits to be given something."""
        return self._child is not None

    def get_ready(self) -> None:
        """Have a child load what the work needs, where there may be one; it waits until `begin` or `close`."""
        if self._child is None and _may_fork():
            with contextlib.suppress(OSError):  # no process more is to be had: the work is done here
                self._child = _Child(self._load, self._work)

    def begin(self, given: _Given) -> Callable[[], _Result]:
        """Begin the work; the returned function waits for its result."""
        self.get_ready()
        if self._child is not None:
            self._child.give(given)
        return lambda: self._result(given)

    def close(self) -> None:
        """End a child whose result nobody has waited for."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _result(self, given: _Given) -> _Result:
        if self._child is not None:
            with contextlib.suppress(*_GONE), contextlib.closing(self):
                found: _Result = self._child.result()
                return found
        return self._work(given)


class _Child:
    """A process that does one piece of work, and ends with it, or when its parent is gone."""

    def __init__(self, load: Callable[[], object], work: Callable[[Any], Any]) -> None:
        (taking, giving), (receiving, telling) = os.pipe(), os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            for end in (taking, giving, receiving, telling):
                os.close(end)
            raise
        if self._pid == 0:
            os.close(giving)
            os.close(receiving)
            _live(load, work, taking, telling)
        os.close(taking)
        os.close(telling)
        self._giving, self._receiving = os.fdopen(giving, "wb", buffering=0), io.BufferedReader(_Pipe(receiving))
        self._writer: threading.Thread | None = None

    def give(self, given: object) -> None:
        """What it is to work on; one that is gone shows in its result.

        A thread writes it, since a pipe holds little, and the child takes nothing before it has loaded what it needs.
        """
        written = pickle.dumps(given, pickle.HIGHEST_PROTOCOL)
        self._writer = threading.Thread(target=self._write, args=(written,), daemon=True)
        self._writer.start()

    def _write(self, written: bytes) -> None:
        with contextlib.suppress(OSError):
            while written:
                written = written[self._giving.write(written) :]

    def result(self) -> Any:
        """Its result; one of `_GONE` where it has none."""
        return pickle.load(self._receiving)  # noqa: S301 - written by our own child

    def end(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # the kernel waits where SIGCHLD is ignored
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        if self._writer:
            self._writer.join()
        for pipe in (self._giving, self._receiving):
            with contextlib.suppress(OSError):
                pipe.close()


class _Pipe(io.FileIO):
    """What a child says; raises TimeoutError where it says nothing for too long."""

    def readinto(self, buffer: Any, /) -> int | None:
        heard = select.poll()
        heard.register(self, select.POLLIN)
        if not heard.poll(SILENT_SECONDS * 1000):
            raise TimeoutError
        return super().readinto(buffer)


def _live(load: Callable[[], object], work: Callable[[Any], Any], taking: int, telling: int) -> None:
    """A child's whole life: nothing of its parent is flushed, closed or cleaned up by it.

    Its parent's output is not its own: whoever reads that to its end would wait for a child that is still loading.
    """
    with contextlib.suppress(BaseException):
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        load()
        with os.fdopen(taking, "rb") as given, os.fdopen(telling, "wb") as told:
            pickle.dump(work(pickle.load(given)), told, pickle.HIGHEST_PROTOCOL)  # noqa: S301 - by our own parent
    os._exit(0)


def _may_fork() -> bool:
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        return False
    return len(getattr(os, "sched_getaffinity", lambda _: set(range(os.cpu_count() or 1)))(0)) > 1
