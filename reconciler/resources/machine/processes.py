"""Programs: started in a process group of their own, bounded in time and in output, ended for good.

Called by `posix`. Under a lock, what is started is a shell that waits for a word of ours: it comes only after the group
stands in the lock's witness file, so that a successor can end the program even if we are killed in the moment of
starting it. The word and then the program's input come over one pipe, so that no descriptor of ours is left to it.
"""

from __future__ import annotations

import os
import pwd
import selectors
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import Dict, List, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.enclosure import Enclosure
from reconciler.resources.machine.lock import MARK, Lock
from reconciler.resources.machine.system import OUTPUT_BYTES, TERM_GRACE_SECONDS, Clock, Command, Completed, Hearing
from reconciler.resources.values import dataclass

SAFE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UMASK = 0o022
"""Of every program, whatever ours is."""

_GO = b"go\n"
_AFTER_GO = 'read -r go && exec "$@"'
_POLL_SECONDS = 0.05
_AFTER_EXIT_SECONDS = 0.2
"""How long output is awaited from a program that ended: a service it started may hold the pipe for ever."""

_PIECES_AFTER_EXIT = 64
_GIVE = "stdin"


@dataclass(frozen=True)
class Watched:
    """Who has an eye on a program: its lock, what it must not outlive, who hears what it prints."""

    lock: Optional[Lock] = None
    enclosure: Optional[Enclosure] = None
    hearing: Optional[Hearing] = None


def run(command: Command, directory: str, extra: Mapping[str, str], watched: Watched, clock: Clock) -> Completed:
    """Run a program to its end. See System.run.

    Raises:
        Failure: `command-missing`, `no-such-user` or `host-error`, where it cannot be started.
    """
    lock = watched.lock
    if watched.enclosure is not None:
        extra = {**extra, **watched.enclosure.environment}
    with _start(command, directory, extra, lock) as process:
        try:
            if watched.enclosure is not None:
                watched.enclosure.take(process.pid)
            if lock is not None:
                lock.name_group(process.pid)
            output = _Talk(process, (_GO if lock is not None else b"") + (command.stdin or b""), watched.hearing)
            timed_out = not output.collect(clock, command.timeout_seconds)
            if timed_out:
                _end(process, output, clock)
        except BaseException:
            _signal(process, signal.SIGKILL)
            raise
        finally:
            if lock is not None:
                lock.forget_group()
    return Completed(process.returncode, output.text("stdout"), output.text("stderr"), timed_out)


def _start(
    command: Command, directory: str, extra: Mapping[str, str], lock: Optional[Lock]
) -> "subprocess.Popen[bytes]":
    environment = {"PATH": SAFE_PATH, "LANG": "C.UTF-8", "HOME": "/", **extra, **command.env}
    argv = [_program(command, environment["PATH"]), *command.argv[1:]]
    if lock is not None:
        environment[MARK] = lock.mark
        argv = ["/bin/sh", "-c", _AFTER_GO if command.stdin is not None else f"{_AFTER_GO} </dev/null", "sh", *argv]
    user, group, groups = _identity(command.user)
    try:
        return subprocess.Popen(
            argv,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL if lock is None and command.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=groups,
            umask=_UMASK,
        )
    except OSError as error:
        raise Failure("host-error", f"cannot run {command.argv[0]}: {error.strerror}") from error
    except ValueError as error:
        hint = "A value of argv, cwd or env holds a NUL character, or a name of env is no name."
        raise Failure("not-runnable", f"cannot run {command.argv[0]!r}: {error}", hint) from None


def has_program(name: str) -> bool:
    """Whether there is such a program where ours are looked for."""
    return shutil.which(name, path=SAFE_PATH) is not None


def _program(command: Command, path: str) -> str:
    found = shutil.which(command.argv[0], path=path)
    if found is None:
        raise Failure("command-missing", f"there is no program {command.argv[0]}", f"Looked in {path}.")
    return found


def _identity(user: str) -> Tuple[Optional[int], Optional[int], Optional[List[int]]]:
    """User, group and further groups to run as; nothing where that is who we are."""
    if not user:
        return None, None, None
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise Failure("no-such-user", f"there is no user {user} to run as") from None
    if found.pw_uid == os.geteuid():
        return None, None, None
    return found.pw_uid, found.pw_gid, os.getgrouplist(user, found.pw_gid)


class _Talk:
    """Gives a program its input, and keeps the last 64 KiB of what it writes to each of its outputs."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes, hearing: Optional[Hearing]) -> None:
        self._process = process
        self._hearing = hearing
        self._stdin = memoryview(stdin)
        self._kept: Dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self._selector = selectors.DefaultSelector()
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            assert pipe is not None  # noqa: S101 - both are pipes, for the type checker
            self._selector.register(pipe, selectors.EVENT_READ, name)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE, _GIVE)

    def text(self, name: str) -> str:
        return self._kept[name].decode(errors="replace")

    def collect(self, clock: Clock, seconds: float, *, ending: bool = False) -> bool:
        """Whether the program ended by itself in that time; once it is `ending`, nobody asks for that any more."""
        deadline = clock.monotonic() + seconds
        while self._selector.get_map() and self._process.poll() is None:
            remaining = deadline - clock.monotonic()
            if remaining <= 0 or self._unwanted(ending=ending):
                return False
            self._take(min(remaining, _POLL_SECONDS))
        for _ in range(_PIECES_AFTER_EXIT):
            if not self._selector.get_map() or not self._take(_AFTER_EXIT_SECONDS):
                break
        return self._wait(clock, deadline, ending=ending)

    def _unwanted(self, *, ending: bool) -> bool:
        return not ending and self._hearing is not None and self._hearing.over()

    def _take(self, seconds: float) -> bool:
        """Whether there was anything to read within that time."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            if key.data == _GIVE:
                self._give()
                continue
            piece = os.read(key.fd, OUTPUT_BYTES)
            if not piece:
                self._selector.unregister(key.fileobj)
            elif self._hearing is not None:
                self._hearing.hear(piece)
            self._kept[key.data] = (self._kept[key.data] + piece)[-OUTPUT_BYTES:]
        return bool(ready)

    def _give(self) -> None:
        """Write what fits; at the input's end, or where nobody reads it any more, close the pipe."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - it was registered
        try:
            self._stdin = self._stdin[os.write(pipe.fileno(), self._stdin) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._selector.unregister(pipe)
            pipe.close()

    def _wait(self, clock: Clock, deadline: float, *, ending: bool) -> bool:
        """For a program that closed its outputs and goes on."""
        while self._process.poll() is None:
            remaining = deadline - clock.monotonic()
            if remaining <= 0 or self._unwanted(ending=ending):
                return False
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(min(remaining, _POLL_SECONDS))
        return True


def _end(process: "subprocess.Popen[bytes]", output: _Talk, clock: Clock) -> None:
    """TERM for the whole group, KILL for what is left after the grace."""
    _signal(process, signal.SIGTERM)
    output.collect(clock, TERM_GRACE_SECONDS, ending=True)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
