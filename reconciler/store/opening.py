"""Opens a way to a server and closes it again: by URL, embedded, or temporary. Called by the package's door."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from reconciler.clock import Clock
from reconciler.errors import Problem
from reconciler.store.check import ServerFacts, verdict
from reconciler.store.embedded import Embedded
from reconciler.store.library import library
from reconciler.store.server import Server
from reconciler.store.unix_node import UnixNode

_WATCHER = """
read -r closed && exit
pid=$(cat "$1/server.pid")
while [ "$(readlink "/proc/$pid/cwd")" = "$1" ] && kill "$pid"; do sleep 0.1; done
rm -rf -- "$1" "$2"
"""
"""Waits for a word or for our end. After an end without a word it ends the server and removes what it left."""


class OpenServer:
    """A checked server with the functions on it."""

    def __init__(self, server: Server, closing: ExitStack, problems: Sequence[Problem] = ()) -> None:
        self.link = server
        self.problems = problems
        self._closing = closing

    def check(self, *, writing: bool = False) -> None:
        """Raise the first thing that is wrong with any primary."""
        for info in self.link.ask_primaries("INFO"):
            facts = ServerFacts.parse(info.decode())
            link = self.link
            found = verdict(facts, link.where, read_only=link.read_only and not writing, as_cluster=link.is_cluster)
            if found:
                raise found

    def prepare(self) -> OpenServer:
        """Check the server and load the functions, or close again."""
        try:
            self.check()
            if not self.link.read_only:
                self.link.load_functions()
        except BaseException:
            self.close()
            raise
        return self

    def check_functions(self) -> str:
        """What is odd about the functions on the server, for who may not load them; empty: nothing.

        Raises:
            Unavailable: there are none, or the server cannot be reached.
            InvalidInput: the server does not let us in.
        """
        others, ours = sorted(self.link.loaded_versions() - {library().version}), library().version
        return f"the functions in Redis have version {', '.join(others)}, ours have {ours}" if others else ""

    def close(self) -> None:
        self._closing.close()


def at_url(url: str, clock: Clock, *, password: str | None = None, read_only: bool = False) -> OpenServer:
    """The server of a URL."""
    from reconciler.store.connect import connect  # noqa: PLC0415 - imports redis-py, which takes long

    closing = ExitStack()
    server = connect(url, clock, password=password, read_only=read_only)
    closing.callback(server.close)
    return OpenServer(server, closing).prepare()


def as_host(url: str, clock: Clock, *, password: str | None = None) -> OpenServer:
    """The server of a URL for a user that may only work in its host's slot; it is asked nothing yet."""
    from reconciler.store.connect import connect  # noqa: PLC0415 - imports redis-py, which takes long

    closing = ExitStack()
    server = connect(url, clock, password=password, loads=False)
    closing.callback(server.close)
    return OpenServer(server, closing)


def embedded(
    directory: Path, runtime: Path, clock: Clock, *, read_only: bool = False, durable: bool = True
) -> OpenServer:
    """The embedded server of a directory, started where it does not run."""
    return _embedded(Embedded(directory, runtime, clock, durable=durable), clock, ExitStack(), read_only=read_only)


def temporary(runtime: Path, clock: Clock) -> OpenServer:
    """A server on a directory that is deleted when it is closed."""
    closing = ExitStack()
    name = closing.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-", ignore_cleanup_errors=True))
    directory = Path(name).resolve()
    share = Embedded(directory, runtime, clock, durable=False)
    closing.enter_context(_swept_if_killed(directory, share.socket))
    return _embedded(share, clock, closing)


@contextmanager
def _swept_if_killed(directory: Path, socket: Path) -> Iterator[None]:
    """A shell beside us that takes the server away if we are killed, when nobody else is left to do it."""
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHER, "sh", str(directory), str(socket)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with suppress(BrokenPipeError):
            watcher.communicate(b"closed\n")


def _embedded(share: Embedded, clock: Clock, closing: ExitStack, *, read_only: bool = False) -> OpenServer:
    closing.callback(share.leave)
    try:
        share.join()
    except BaseException:
        closing.close()
        raise
    server = Server(UnixNode(share.socket), f"unix://{share.socket}", clock, read_only=read_only, revive=share.join)
    closing.callback(server.close)
    return OpenServer(server, closing, share.problems).prepare()
