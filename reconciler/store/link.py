"""The port through which the parts of this room speak to Redis, and the forms that go over it.

`server.Server` is the one real thing behind it. Nothing here imports redis, so that a command that only needs the
types pays nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

from reconciler.errors import Place, Problem, Refused

Argument: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Argument, ...]

LATEST_SECONDS = (1 << 53) / 1_000_000
"""No time is later (the year 2255): functions count microseconds, exactly up to there."""

FOREIGN = object()
"""The reply of `Link.look` for a key that does not hold what the command expects."""

_ROUTING_KEY = {"FCALL": 3, "FCALL_RO": 3, "BZMPOP": 3}


class Link(Protocol):
    """A server, a primary behind Sentinels, or a cluster. Replies are redis' own: bytes, integers, lists, None."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written."""
        ...

    def send(self, *command: Argument, repeatable: bool = True) -> Any:
        """One command. It is sent again after a lost connection unless it is not `repeatable`.

        Raises:
            Unavailable: the server cannot be reached or cannot serve just now.
            InvalidInput: it does not let us in, or not do this.
        """
        ...

    def send_all(self, commands: Sequence[Command]) -> list[Any]:
        """Many repeatable commands, pipelined; replies in order. Raises as `send`, for the first that failed."""
        ...

    def look(self, commands: Sequence[Command], *, repeatable: bool = True) -> list[Any]:
        """As `send_all`, but a command on a key that does not hold what we write gets FOREIGN and fails nothing."""
        ...


def key_of(command: Command) -> str:
    """The key that the command is about; of a function, the slot."""
    return str(command[min(_ROUTING_KEY.get(str(command[0]), 1), len(command) - 1)])


def call(function: str, slot: str, *arguments: Argument) -> Command:
    """The command that runs a function of the library on one slot."""
    return ("FCALL", f"reconciler_{function}", 1, slot, *arguments)


def text(reply: bytes | None) -> str:
    return reply.decode() if reply is not None else ""


def fields(reply: Sequence[bytes]) -> dict[str, str]:
    """A flat reply of names and values as a map."""
    words = [word.decode() for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


def flat(values: Mapping[str, Argument]) -> Iterable[Argument]:
    """The inverse of `fields`."""
    return (word for pair in values.items() for word in pair)


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def moment(seconds: float | str | None) -> datetime | None:
    """Unix seconds as an aware datetime; nothing stays nothing. Raises ValueError for what is no time of this era."""
    if not seconds:
        return None
    value = float(seconds)
    if not 0 <= value < LATEST_SECONDS:
        raise ValueError("no time of this era")
    return datetime.fromtimestamp(value, UTC)


def odd_slot(host: str) -> Problem:
    """What is wrong where a host's slot takes no write."""
    message = "its records in Redis are not as this program writes them, so nothing was written there"
    return Problem(Place(host=host), message, "Who else writes there? Look: reconcile doctor", "store-record")


def passed(newer: bytes, host: str, term: int) -> Problem:
    """What is wrong where a function answered that a later controller has written."""
    message = f"another controller has taken over (term {text(newer)}, ours is {term})"
    return Problem(Place(host=host), message, "Nothing was written. Look: reconcile status", "term-passed")


def refuse_older(newer: bytes | None, host: str, term: int) -> None:
    """Raise where a function answered that a later controller has written."""
    if newer is not None:
        raise Refused(passed(newer, host, term))
