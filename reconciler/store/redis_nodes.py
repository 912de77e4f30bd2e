"""A server or a cluster that a URL names, by redis-py, as nodes. Built by `connect`.

It uses redis-py's connections directly for batches: a cluster then needs no question of where a function's keys live,
and a single server is just a cluster of one node. This is the one place where an exception of redis-py becomes ours.
"""

# mypy: allow-untyped-calls
# redis-py is annotated only in part

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis, RedisCluster
from redis import exceptions as redis_errors
from redis.connection import Connection, ConnectionPool

from reconciler.clock import Clock
from reconciler.store.link import Command, key_of
from reconciler.store.nodes import WRITE, ErrorReply, Lost

PAUSES_SECONDS = (0.0, 0.05, 0.25, 0.05, 0.25)
"""Before a command is sent to where its key has moved, and moved again."""

_REDIRECTED = (redis_errors.AskError, redis_errors.TryAgainError, redis_errors.ClusterDownError)
_CODES: tuple[tuple[type[Exception], type[ErrorReply], str], ...] = (
    (redis_errors.AuthenticationError, ErrorReply, "NOAUTH "),
    (redis_errors.AuthorizationError, ErrorReply, "NOAUTH "),
    (redis_errors.NoPermissionError, ErrorReply, "NOPERM "),
    (redis_errors.ReadOnlyError, ErrorReply, "READONLY "),
    (redis_errors.OutOfMemoryError, ErrorReply, "OOM "),
    (redis_errors.ClusterDownError, ErrorReply, "CLUSTERDOWN "),
    (redis_errors.BusyLoadingError, Lost, "LOADING "),
    (redis_errors.TimeoutError, Lost, "TIMEOUT "),
    (redis_errors.ConnectionError, Lost, "CONNECTION "),
    (redis_errors.SlotNotCoveredError, Lost, "CONNECTION "),
    (OSError, Lost, "CONNECTION "),
)
"""redis-py leaves out the code of what it has a class for."""


def ours(error: Exception) -> ErrorReply:
    """An exception of redis-py, or of the system below it, as one of ours."""
    for kind, become, code in _CODES:
        if isinstance(error, kind):
            return become(f"{code}{error or type(error).__name__}")
    return ErrorReply(str(error) or type(error).__name__)


class RedisNodes:
    """See `Nodes`."""

    def __init__(self, client: Redis | RedisCluster, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.moves = 0

    @property
    def is_cluster(self) -> bool:
        """See Nodes."""
        return isinstance(self._client, RedisCluster)

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """See Nodes; a few moves in a row are followed."""
        with _as_ours():
            return _replies(self._redirected(commands, self._exchange(commands)))

    def ask(self, node: ConnectionPool, commands: Sequence[Command]) -> list[Any]:
        """See Nodes."""
        with _as_ours():
            return _replies(self._exchange(commands, node))

    def primaries(self) -> Sequence[ConnectionPool]:
        """See Nodes."""
        if isinstance(self._client, Redis):
            return (self._client.connection_pool,)
        with _as_ours():
            return [self._client.get_redis_connection(node).connection_pool for node in self._client.get_primaries()]

    def everyone(self) -> Sequence[ConnectionPool]:
        """See Nodes."""
        if isinstance(self._client, Redis):
            return (self._client.connection_pool,)
        with _as_ours():
            return [self._client.get_redis_connection(node).connection_pool for node in self._client.get_nodes()]

    def look_around(self) -> None:
        """See Nodes."""
        if isinstance(self._client, RedisCluster):
            with suppress(redis_errors.RedisError, OSError):
                self._client.nodes_manager.initialize()

    def close(self) -> None:
        """See Nodes."""
        self._client.close()

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
        """The replies, each from the node that serves its slot now."""
        if isinstance(self._client, Redis):
            return replies
        for pause in PAUSES_SECONDS:
            elsewhere = [at for at, reply in enumerate(replies) if isinstance(reply, _REDIRECTED)]
            if not elsewhere:
                break
            self._clock.sleep(pause)
            for at in elsewhere:
                if isinstance(replies[at], redis_errors.MovedError):
                    self.moves += 1
                    self._client.nodes_manager.move_slot(replies[at])
            asked = [at for at in elsewhere if type(replies[at]) is redis_errors.AskError]
            others = [at for at in elsewhere if at not in asked]
            for at in asked:
                node = _named_in(replies[at], self._client)
                replies[at] = self._exchange([("ASKING",), commands[at]], node)[1]
            for at, reply in zip(others, self._exchange([commands[at] for at in others]), strict=True):
                replies[at] = reply
        return replies


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except (redis_errors.RedisError, OSError) as error:
        raise ours(error) from None


def _replies(found: list[Any]) -> list[Any]:
    return [ours(reply) if isinstance(reply, Exception) else reply for reply in found]


def _reply(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except redis_errors.ResponseError as error:
        return error


def _named_in(reply: redis_errors.AskError, cluster: RedisCluster) -> ConnectionPool:
    """The node that a reply sends us to."""
    node = cluster.nodes_manager.get_node(host=reply.host, port=reply.port)
    if node is None:
        raise redis_errors.ConnectionError(f"a node of the cluster is not known yet: {reply.host}:{reply.port}")
    return cluster.get_redis_connection(node).connection_pool
