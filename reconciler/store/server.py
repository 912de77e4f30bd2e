"""The one real `Link`: sends commands to Redis, in batches, to the right node, and again where that is safe.

Built by `connect` and handed to the parts of the store. It uses redis-py's connections directly for batches: a cluster
then needs no question of where a function's keys live, and a single server is just a cluster of one node.
"""

# mypy: allow-untyped-calls
# redis-py is annotated only in part

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from redis import Redis, RedisCluster
from redis import exceptions as redis_errors
from redis.connection import Connection, ConnectionPool

from reconciler.clock import Clock
from reconciler.errors import Refused
from reconciler.store.failures import FUNCTION_MISSING, of_data, translated
from reconciler.store.library import library
from reconciler.store.link import FOREIGN, Command, key_of

BATCH = 500
"""Commands in one round trip."""

WRITE = 50
"""Commands packed and written at once: the server works on them while we pack the next."""

PAUSES_SECONDS = (0.05, 0.25)
"""Waits before a second and a third try, where a connection was lost."""

_READING = frozenset({"EXISTS", "GET", "HGET", "HGETALL", "HMGET", "SMEMBERS", "TIME", "ZRANGE", "XREVRANGE"})
_VERSION = ("FCALL_RO", "reconciler_version", "0")
_REDIRECTED = (redis_errors.AskError, redis_errors.TryAgainError, redis_errors.ClusterDownError)
_LOST = (redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.SlotNotCoveredError, OSError)
_DENIED = (redis_errors.AuthenticationError, redis_errors.AuthorizationError)


class Server:
    """See `Link`.

    Args:
        loads: whether it may put functions that are missing on the server.
        revive: called before another try; the embedded server starts again in it.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        where: str,
        clock: Clock,
        *,
        read_only: bool = False,
        loads: bool = True,
        revive: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._loads = loads
        self._clock = clock
        self._read_only = read_only
        self._revive = revive
        self.where = where
        self.interruptions = 0
        """How often a connection was lost or a key had moved: what was written may be gone then, also what was
        acknowledged, since replicas lag behind."""

    @property
    def read_only(self) -> bool:
        return self._read_only

    @property
    def is_cluster(self) -> bool:
        return isinstance(self._client, RedisCluster)

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
        """Put the library on every primary that does not hold this version of it."""
        for pool in self._primaries():
            loaded = self._exchange([_VERSION], pool)[0]
            if loaded != library().version.encode():
                self._raise_first(self._exchange([("FUNCTION", "LOAD", "REPLACE", library().code)], pool))

    def loaded_versions(self) -> frozenset[str]:
        """The versions of the library that the primaries hold.

        Raises:
            Unavailable: one holds none, or cannot be reached.
        """
        return frozenset(reply.decode() for reply in self.ask_primaries(*_VERSION))

    def ask_primaries(self, *command: str) -> list[Any]:
        """The same command to every primary, for what belongs to a server and not to a key."""
        try:
            return [self._raise_first(self._exchange([command], pool))[0] for pool in self._primaries()]
        except (*_LOST, redis_errors.RedisError) as error:
            raise translated(error, self.where) from None

    def ask_nodes(self, *command: str) -> list[Any]:
        """The same command to every node, replicas of a cluster too: for what is not replicated."""
        if isinstance(self._client, Redis):
            return self.ask_primaries(*command)
        try:
            nodes = [self._client.get_redis_connection(node).connection_pool for node in self._client.get_nodes()]
            return [self._raise_first(self._exchange([command], pool))[0] for pool in nodes]
        except (*_LOST, redis_errors.RedisError) as error:
            raise translated(error, self.where) from None

    def close(self) -> None:
        self._client.close()

    def _primaries(self) -> Sequence[ConnectionPool]:
        if isinstance(self._client, Redis):
            return (self._client.connection_pool,)
        return [self._client.get_redis_connection(node).connection_pool for node in self._client.get_primaries()]

    def _delivered(self, commands: Sequence[Command], pauses: Sequence[float], foreign: Any = None) -> list[Any]:
        """The replies, after as many tries as there are pauses, and one more. `foreign`: what odd data becomes."""
        if self._read_only and any(command[0] not in _READING for command in commands):
            raise Refused.of("read-only", f"{self.where}: opened for reading only")
        for pause in pauses:
            try:
                return self._answered(commands, foreign)
            except _DENIED as error:
                raise translated(error, self.where, ours=self._revive is not None) from None
            except _LOST:
                self.interruptions += 1
                self._clock.sleep(pause)
                self._look_around()
                if self._revive:
                    self._revive()
        try:
            return self._answered(commands, foreign)
        except (*_LOST, redis_errors.RedisError) as error:
            if isinstance(error, _LOST):
                self.interruptions += 1
                self._look_around()
            raise translated(error, self.where, ours=self._revive is not None) from None

    def _answered(self, commands: Sequence[Command], foreign: Any) -> list[Any]:
        replies = self._redirected(commands, self._exchange(commands))
        missing = [at for at, reply in enumerate(replies) if _says(reply, FUNCTION_MISSING)]
        if missing and self._loads:
            self.load_functions()
            again = [commands[at] for at in missing]
            for at, reply in zip(missing, self._redirected(again, self._exchange(again)), strict=True):
                replies[at] = reply
        if foreign is not None:
            replies = [foreign if of_data(reply) else reply for reply in replies]
        return self._raise_first(replies, commands)

    def _raise_first(self, replies: list[Any], commands: Sequence[Command] = ()) -> list[Any]:
        for at, reply in enumerate(replies):
            if isinstance(reply, Exception):
                raise translated(reply, self.where, key_of(commands[at]) if commands else "") from None
        return replies

    def _exchange(self, commands: Sequence[Command], only: ConnectionPool | None = None) -> list[Any]:
        """One round trip to each node (or to one alone): write to all, then read from all. Errors are replies."""
        groups: dict[ConnectionPool, list[int]] = {}
        for at, command in enumerate(commands):
            groups.setdefault(only or self._pool(command), []).append(at)
        replies: list[Any] = [None] * len(commands)
        taken: list[tuple[ConnectionPool, Connection, list[int]]] = []
        try:
            for pool, places in groups.items():
                connection = pool.get_connection()
                taken.append((pool, connection, places))
                for first in range(0, len(places), WRITE):
                    written = [commands[at] for at in places[first : first + WRITE]]
                    connection.send_packed_command(connection.pack_commands(written))
            for _, connection, places in taken:
                for at in places:
                    replies[at] = _reply(connection)
        except BaseException:
            for _, connection, _ in taken:
                connection.disconnect()
            raise
        finally:
            for pool, connection, _ in taken:
                pool.release(connection)
        return replies

    def _pool(self, command: Command) -> ConnectionPool:
        if isinstance(self._client, Redis):
            return self._client.connection_pool
        node = self._client.nodes_manager.get_node_from_slot(self._client.keyslot(key_of(command)))
        return self._client.get_redis_connection(node).connection_pool

    def _redirected(self, commands: Sequence[Command], replies: list[Any]) -> list[Any]:
        """The replies, each from the node that serves its slot now; a few moves in a row are followed."""
        if isinstance(self._client, Redis):
            return replies
        for pause in (0.0, *PAUSES_SECONDS, *PAUSES_SECONDS):
            elsewhere = [at for at, reply in enumerate(replies) if isinstance(reply, _REDIRECTED)]
            if not elsewhere:
                break
            self._clock.sleep(pause)
            for at in elsewhere:
                if isinstance(replies[at], redis_errors.MovedError):
                    self.interruptions += 1
                    self._client.nodes_manager.move_slot(replies[at])
            asked = [at for at in elsewhere if type(replies[at]) is redis_errors.AskError]
            others = [at for at in elsewhere if at not in asked]
            for at in asked:
                node = _named_in(replies[at], self._client)
                replies[at] = self._exchange([("ASKING",), commands[at]], node)[1]
            for at, reply in zip(others, self._exchange([commands[at] for at in others]), strict=True):
                replies[at] = reply
        return replies

    def _look_around(self) -> None:
        """After a lost connection: which node of a cluster serves what now. One that is gone may have a successor."""
        if isinstance(self._client, RedisCluster):
            with suppress(*_LOST, redis_errors.RedisError):
                self._client.nodes_manager.initialize()


def _named_in(reply: redis_errors.AskError, cluster: RedisCluster) -> ConnectionPool:
    """The node that a reply sends us to."""
    node = cluster.nodes_manager.get_node(host=reply.host, port=reply.port)
    if node is None:
        raise redis_errors.ConnectionError(f"a node of the cluster is not known yet: {reply.host}:{reply.port}")
    return cluster.get_redis_connection(node).connection_pool


def _reply(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except redis_errors.ResponseError as error:
        return error


def _says(reply: Any, words: str) -> bool:
    return isinstance(reply, redis_errors.ResponseError) and words in str(reply)
