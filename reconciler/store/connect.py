"""From a URL to a `Server`: single server, unix socket, Sentinel or Cluster. Called by `opening`."""

# mypy: allow-untyped-calls
# redis-py is annotated only in part

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis import Redis, RedisCluster
from redis import exceptions as redis_errors
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from reconciler.clock import Clock
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.store.failures import translated
from reconciler.store.nodes import ANSWER_SECONDS, CONNECT_SECONDS
from reconciler.store.redis_nodes import RedisNodes, ours
from reconciler.store.server import Server

_KEEPALIVE: dict[str, Any] = {"socket_keepalive": True}
_SENTINEL_PORT = 26379
_REDIS_PORT = 6379


def connect(
    url: str,
    clock: Clock,
    *,
    password: str | None = None,
    read_only: bool = False,
    loads: bool = True,
) -> Server:
    """A server that has not been asked anything yet (a cluster has been asked for its nodes).

    Args:
        url: where it is.
        clock: for waits between tries.
        password: of the URL's user, where the URL holds none.
        read_only: refuse to write.
        loads: whether this user may load functions.

    Raises:
        InvalidInput: the URL is in no form that we know.
        Unavailable: no node of the cluster can be reached.
    """
    where = _without_password(url)
    try:
        parts = urlsplit(url)
        client = _client(url, parts, password)
        return Server(RedisNodes(client, clock), where, clock, read_only=read_only, loads=loads)
    except (redis_errors.RedisError, redis_errors.RedisClusterException, OSError) as error:
        raise translated(ours(_cause(error)), where) from None
    except ValueError as error:
        raise _bad_url(where, str(error)) from None


def _client(url: str, parts: SplitResult, password: str | None) -> Redis | RedisCluster:
    match parts.scheme:
        case "redis" | "rediss" | "unix":
            keepalive = {} if parts.scheme == "unix" else _KEEPALIVE
            client: Redis = Redis.from_url(url, password=password, **_limits(), **keepalive)
            return client
        case "redis+sentinel" | "rediss+sentinel":
            return _behind_sentinels(parts, password)
        case "redis+cluster" | "rediss+cluster":
            nodes = [ClusterNode(host, port) for host, port in _addresses(parts, _REDIS_PORT)]
            return RedisCluster(startup_nodes=nodes, **_login(parts, password), **_limits(), **_KEEPALIVE)
        case scheme:
            raise ValueError(f"unknown scheme {scheme!r}")


def _behind_sentinels(parts: SplitResult, password: str | None) -> Redis:
    """`redis+sentinel://[user:password@]host[:port][,host...]/master-name[/database][?sentinel_password=...]`."""
    name, _, database = parts.path.strip("/").partition("/")
    if not name:
        raise ValueError("the name of the master is missing after the hosts: redis+sentinel://host:26379/NAME")
    query = dict(parse_qsl(parts.query))
    access = {key.removeprefix("sentinel_"): query[key] for key in query if key.startswith("sentinel_")}
    sentinel = Sentinel(_addresses(parts, _SENTINEL_PORT), sentinel_kwargs={**access, **_limits()})
    login = _login(parts, password)
    primary: Redis = sentinel.master_for(name, db=int(database or 0), **login, **_limits(), **_KEEPALIVE)
    return primary


def _limits() -> dict[str, Any]:
    """Retries are `Server`'s own, so that a slow command is not run many times behind our back."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


def _login(parts: SplitResult, password: str | None) -> dict[str, Any]:
    login: dict[str, Any] = {"password": password} if password else {}
    if parts.username:
        login["username"] = unquote(parts.username)
    if parts.password:
        login["password"] = unquote(parts.password)
    if parts.scheme.startswith("rediss"):
        login["ssl"] = True
    return login


def _addresses(parts: SplitResult, default_port: int) -> list[tuple[str, int]]:
    """The hosts between user and path: `a:1,b:2` or `[::1]:1,b`."""
    addresses = []
    for text in parts.netloc.rpartition("@")[2].split(","):
        address = urlsplit(f"//{text}")
        if not address.hostname:
            raise ValueError("a host is missing")
        addresses.append((address.hostname, address.port or default_port))
    return addresses


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else "RECONCILER_REDIS_URL"


def _cause(error: Exception) -> Exception:
    """A cluster hides why none of its nodes could be reached."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


def _bad_url(where: str, why: str) -> ReconcilerError:
    hint = "RECONCILER_REDIS_URL is redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"
    return InvalidInput.of("redis-url", f"{where}: {why}", hint=hint)
