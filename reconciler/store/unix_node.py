"""The embedded server as a node: commands over its unix socket, packed and read by hiredis. Built by `opening`."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hiredis

from reconciler.store.link import Command
from reconciler.store.nodes import ANSWER_SECONDS, CONNECT_SECONDS, WRITE, ErrorReply, Lost, Node

_PIECE_BYTES = 1 << 16
_LOADING = "LOADING"


class UnixNode:
    """See `Nodes`. Threads take a connection each; what is free is used again."""

    is_cluster = False
    moves = 0

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lock = threading.Lock()
        self._free: list[_Connection] = []

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """See Nodes."""
        try:
            connection = self._taken()
            try:
                replies = connection.exchange(commands)
            except BaseException:
                connection.close()
                raise
        except TimeoutError:
            raise Lost("TIMEOUT no answer in time") from None
        except (OSError, EOFError, hiredis.ProtocolError) as error:
            raise Lost(f"CONNECTION {error}") from None
        with self._lock:
            self._free.append(connection)
        for reply in replies:
            if isinstance(reply, ErrorReply) and str(reply).startswith(_LOADING):
                raise Lost(str(reply))
        return replies

    def ask(self, node: Node, commands: Sequence[Command]) -> list[Any]:  # noqa: ARG002 - there is one
        """See Nodes."""
        return self.exchange(commands)

    def primaries(self) -> Sequence[Node]:
        """See Nodes."""
        return (self,)

    def everyone(self) -> Sequence[Node]:
        """See Nodes."""
        return (self,)

    def look_around(self) -> None:
        """See Nodes; there is no other."""

    def close(self) -> None:
        """See Nodes."""
        with self._lock:
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    def _taken(self) -> _Connection:
        while True:
            with self._lock:
                connection = self._free.pop() if self._free else None
            if connection is None:
                return _Connection(self._path)
            if connection.fit:
                return connection
            connection.close()


class _Connection:
    def __init__(self, path: str) -> None:
        self._reader = hiredis.Reader(replyError=ErrorReply.of)
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(CONNECT_SECONDS)
            self._socket.connect(path)
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(ANSWER_SECONDS)

    @property
    def fit(self) -> bool:
        """Whether nothing waits to be read: neither an end, nor words that nobody asked for."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return not waiting.poll(0)

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        for first in range(0, len(commands), WRITE):
            packed: Iterator[bytes] = map(hiredis.pack_command, commands[first : first + WRITE])  # type: ignore[arg-type] # its stub knows tuples of one type
            self._socket.sendall(b"".join(packed))
        return [self._reply() for _ in commands]

    def _reply(self) -> Any:
        while (reply := self._reader.gets()) is False:
            piece = self._socket.recv(_PIECE_BYTES)
            if not piece:
                raise EOFError("it hung up")
            self._reader.feed(piece)
        return reply

    def close(self) -> None:
        self._socket.close()
