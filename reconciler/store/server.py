"""The one real `Link`: sends commands to Redis, in batches, and again where that is safe. Built by `opening`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import Refused
from reconciler.store.failures import FUNCTION_MISSING, of_data, translated
from reconciler.store.library import library
from reconciler.store.link import FOREIGN, Command, key_of
from reconciler.store.nodes import ErrorReply, Lost, Node, Nodes

BATCH = 500
"""Commands in one round trip."""

PAUSES_SECONDS = (0.05, 0.25)
"""Waits before a second and a third try, where a connection was lost."""

_READING = frozenset({"EXISTS", "GET", "HGET", "HGETALL", "HMGET", "SMEMBERS", "TIME", "ZRANGE", "XREVRANGE"})
_VERSION = ("FCALL_RO", "reconciler_version", "0")


class Server:
    """See `Link`.

    Args:
        loads: whether it may put functions that are missing on the server.
        revive: called before another try; the embedded server starts again in it.
    """

    def __init__(
        self,
        nodes: Nodes,
        where: str,
        clock: Clock,
        *,
        read_only: bool = False,
        loads: bool = True,
        revive: Callable[[], None] | None = None,
    ) -> None:
        self._nodes = nodes
        self._loads = loads
        self._clock = clock
        self._read_only = read_only
        self._revive = revive
        self.where = where
        self._losses = 0

    @property
    def interruptions(self) -> int:
        """How often a connection was lost or a key had moved: what was written may be gone then, also what was
        acknowledged, since replicas lag behind.
        """
        return self._losses + self._nodes.moves

    @property
    def read_only(self) -> bool:
        return self._read_only

    @property
    def is_cluster(self) -> bool:
        return self._nodes.is_cluster

    def send(self, *command: str | bytes | float, repeatable: bool = True) -> Any:
        return self._delivered([command], PAUSES_SECONDS if repeatable else ())[0]

    def send_all(self, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = []
        for first in range(0, len(commands), BATCH):
            replies += self._delivered(commands[first : first + BATCH], PAUSES_SECONDS)
        return replies

    def look(self, commands: Sequence[Command], *, repeatable: bool = True) -> list[Any]:
        replies: list[Any] = []
        pauses = PAUSES_SECONDS if repeatable else ()
        for first in range(0, len(commands), BATCH):
            replies += self._delivered(commands[first : first + BATCH], pauses, foreign=FOREIGN)
        return replies

    def load_functions(self) -> None:
        """Put the library on every primary that does not hold this version of it.

        Raises:
            Unavailable: a primary cannot be reached or cannot serve.
            InvalidInput: it does not let us in, or not do this.
        """
        try:
            self._load()
        except ErrorReply as error:
            raise translated(error, self.where, ours=self._revive is not None) from None

    def _load(self) -> None:
        for node in self._nodes.primaries():
            loaded = self._nodes.ask(node, [_VERSION])[0]
            if loaded != library().version.encode():
                self._raise_first(self._nodes.ask(node, [("FUNCTION", "LOAD", "REPLACE", library().code)]))

    def loaded_versions(self) -> frozenset[str]:
        """The versions of the library that the primaries hold.

        Raises:
            Unavailable: one holds none, or cannot be reached.
        """
        return frozenset(reply.decode() for reply in self.ask_primaries(*_VERSION))

    def ask_primaries(self, *command: str) -> list[Any]:
        """The same command to every primary, for what belongs to a server and not to a key."""
        return self._asked(self._nodes.primaries, command)

    def ask_nodes(self, *command: str) -> list[Any]:
        """The same command to every node, replicas of a cluster too: for what is not replicated."""
        return self._asked(self._nodes.everyone, command)

    def close(self) -> None:
        self._nodes.close()

    def _asked(self, nodes: Callable[[], Sequence[Node]], command: Command) -> list[Any]:
        try:
            return [self._raise_first(self._nodes.ask(node, [command]))[0] for node in nodes()]
        except ErrorReply as error:
            raise translated(error, self.where) from None

    def _delivered(self, commands: Sequence[Command], pauses: Sequence[float], foreign: Any = None) -> list[Any]:
        """The replies, after as many tries as there are pauses, and one more. `foreign`: what odd data becomes."""
        if self._read_only and any(command[0] not in _READING for command in commands):
            raise Refused.of("read-only", f"{self.where}: opened for reading only")
        for pause in pauses:
            try:
                return self._answered(commands, foreign)
            except Lost:
                self._losses += 1
                self._clock.sleep(pause)
                self._nodes.look_around()
                if self._revive:
                    self._revive()
            except ErrorReply as error:
                raise translated(error, self.where, ours=self._revive is not None) from None
        try:
            return self._answered(commands, foreign)
        except ErrorReply as error:
            if isinstance(error, Lost):
                self._losses += 1
                self._nodes.look_around()
            raise translated(error, self.where, ours=self._revive is not None) from None

    def _answered(self, commands: Sequence[Command], foreign: Any) -> list[Any]:
        replies = self._nodes.exchange(commands)
        missing = [at for at, reply in enumerate(replies) if _says(reply, FUNCTION_MISSING)]
        if missing and self._loads:
            self._load()
            again = [commands[at] for at in missing]
            for at, reply in zip(missing, self._nodes.exchange(again), strict=True):
                replies[at] = reply
        if foreign is not None:
            replies = [foreign if of_data(reply) else reply for reply in replies]
        return self._raise_first(replies, commands)

    def _raise_first(self, replies: list[Any], commands: Sequence[Command] = ()) -> list[Any]:
        for at, reply in enumerate(replies):
            if isinstance(reply, ErrorReply):
                raise translated(reply, self.where, key_of(commands[at]) if commands else "") from None
        return replies


def _says(reply: Any, words: str) -> bool:
    return isinstance(reply, ErrorReply) and words in str(reply)
