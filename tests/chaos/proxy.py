"""A TCP proxy on loopback whose connections can be cut: `python -m tests.chaos.proxy PORT TARGET_PORT`.

It obeys words on its standard input, one a line: `cut` resets every connection; `half-asked` and `half-told` pass on
half of the next piece of each connection, towards the server or from it, and reset that connection then. It answers
each word with how many connections that concerned.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

_PIECE_BYTES = 1 << 16
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing tells the other end that something broke (socket(7))."""
CUTS = ("cut", "half-asked", "half-told")


@dataclass(eq=False, slots=True)
class End:
    """One end of a connection through the proxy."""

    line: socket.socket
    toward: str
    """How the word for cutting what is read here reads."""
    doomed: str = ""
    other: End | None = field(default=None, repr=False)


class Proxy:
    """Passes on what it reads, until it is told to break it."""

    def __init__(self, port: int, target: int, words: TextIO) -> None:
        self._target = target
        self._words = words
        self._ends: set[End] = set()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(words, selectors.EVENT_READ)

    def run(self) -> None:
        """Until the standard input ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._words:
                    word = self._words.readline().strip()
                    if not word:
                        return
                    sys.stdout.write(f"{self._obey(word)}\n")
                    sys.stdout.flush()
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._ends:
                    self._pass_on(key.data)

    def _accept(self) -> None:
        asking, _ = self._listener.accept()
        try:
            serving = socket.create_connection(("127.0.0.1", self._target), 3.0)
        except OSError:
            _reset(asking)
            return
        for line in (asking, serving):
            line.settimeout(10.0)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends = End(asking, "half-asked"), End(serving, "half-told")
        ends[0].other, ends[1].other = ends[1], ends[0]
        for end in ends:
            self._ends.add(end)
            self._selector.register(end.line, selectors.EVENT_READ, end)

    def _pass_on(self, end: End) -> None:
        assert end.other
        try:
            piece = end.line.recv(_PIECE_BYTES)
            half = end.doomed == end.toward
            end.other.line.sendall(piece[: len(piece) // 2] if half else piece)
        except OSError:
            piece = b""
            half = False
        if half or not piece:
            self._break(end)

    def _obey(self, word: str) -> int:
        asking = [end for end in self._ends if end.toward == "half-asked"]
        for end in asking:
            if word == "cut":
                self._break(end)
            elif end.other:
                end.doomed = end.other.doomed = word
        return len(asking)

    def _break(self, end: End) -> None:
        for each in (end, end.other):
            assert each
            self._ends.discard(each)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each.line)
            _reset(each.line)


def _reset(line: socket.socket) -> None:
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    line.close()


if __name__ == "__main__":
    Proxy(int(sys.argv[1]), int(sys.argv[2]), sys.stdin).run()
