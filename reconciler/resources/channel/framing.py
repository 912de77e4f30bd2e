"""Messages over a channel: JSON behind its length. Spoken by the SSH transport and, at the far end, by `remote`."""

from __future__ import annotations

import json
import struct
from typing import Any, Dict, Iterator, Mapping

MARKER = b"\0reconciler 1\n"
"""What the far end sends before its first message; whatever a login shell printed before it is no message."""

LARGEST_BYTES = 256 << 20
MOST_VALUES = 4_000_000
"""In one message. What is short as text may be large in memory: `{},` takes 64 bytes there."""
_LENGTH = struct.Struct(">I")


class BadFrame(ValueError):
    """What came is no message."""


def pack(message: Mapping[str, Any]) -> bytes:
    """A message as bytes."""
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Puts messages together from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, piece: bytes) -> Iterator[Dict[str, Any]]:
        """The messages that are complete with this piece.

        Raises:
            BadFrame: someone else speaks here.
        """
        self._pending += piece
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > LARGEST_BYTES:
                raise BadFrame(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH.size : end])
            del self._pending[:end]
            yield _message(body)


def _message(body: bytes) -> Dict[str, Any]:
    if len(body) > MOST_VALUES and sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise BadFrame(f"a message of more than {MOST_VALUES} values")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise BadFrame("a message that is no map")
    return message
