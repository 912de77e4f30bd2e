"""The port through which `server` reaches what answers commands: one node, or those of a cluster.

`unix_node` is the embedded server's, `redis_nodes` is for all that a URL can name and the only one that loads redis-py,
which takes as long as everything else of a short command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeAlias

from reconciler.store.link import Command

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
"""How long a connection and an answer may take. A blocking command waits 2 s at most, well below this."""

WRITE = 50
"""Commands packed and written at once: the server works on them while we pack the next."""

Node: TypeAlias = Any
"""One of those that `primaries` and `everyone` name; what it is, is their own affair."""


class ErrorReply(Exception):
    """What a server said instead of an answer, as Redis writes it: a code such as WRONGTYPE, and words."""

    @classmethod
    def of(cls, text: str) -> Self:
        """The reply of a server; its ERR says nothing and is left out."""
        return cls(text.removeprefix("ERR "))

    @property
    def words(self) -> str:
        """What follows the code, if there is one."""
        code, _, words = str(self).partition(" ")
        return words if code.isupper() and code.isalpha() else str(self)


class Lost(ErrorReply):
    """No answer came: CONNECTION, TIMEOUT or LOADING, and why. Another try may help."""


class Nodes(Protocol):
    """One node or many. What it raises is `Lost`, or an `ErrorReply` where a server lets nobody in."""

    @property
    def is_cluster(self) -> bool: ...

    @property
    def moves(self) -> int:
        """How often a key had moved to another node."""
        ...

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Replies in order, each from the node that its key lives on; errors are replies."""
        ...

    def ask(self, node: Node, commands: Sequence[Command]) -> list[Any]:
        """The same of one node."""
        ...

    def primaries(self) -> Sequence[Node]:
        """Where keys are written."""
        ...

    def everyone(self) -> Sequence[Node]:
        """Replicas of a cluster too."""
        ...

    def look_around(self) -> None:
        """After a lost connection: which node serves what now. One that is gone may have a successor."""
        ...

    def close(self) -> None: ...
