"""The Redis user of a host's agent: its name, and the rules that keep it to its own slot. Pure text.

Used by `Store.users`, which sets them, and by tests, which check them against what the functions call. An agent reads
and writes the keys of its host and reads bundles, which hold no value of any host. It can neither run scripts, nor see
which keys there are, nor ask or tell the server anything else.
"""

from __future__ import annotations

from reconciler.store.keys import Keys

FUNCTIONS = "fcall fcall_ro"
IN_FUNCTIONS = (
    "append del exists expire get getrange hdel hget hincrby hkeys hmget hset hsetnx persist pexpire set setrange"
    " strlen time xadd zadd zrange zrangebyscore zrem zremrangebyrank zscore"
)
"""What the library's functions call; Redis asks whether the user of the function may."""
ITSELF = "bzmpop hgetall lpop rpush zpopmin"
"""What an agent sends beside functions and these."""
CONNECTION = "ping select"
CLUSTER = "asking cluster|slots cluster|shards cluster|nodes cluster|myid command readonly"
"""How a client finds the node of a slot; tells where nodes are, nothing of keys."""

_SETINFO_SINCE = (7, 2)
"""CLIENT SETINFO is newer than Redis 7.0, which refuses a rule about a subcommand that it does not know."""


def user_name(host: str) -> str:
    """The name of a host's Redis user."""
    return f"reconciler-{host}"


def rules(host: str, version: tuple[int, ...], *, clustered: bool = True, keys: Keys | None = None) -> tuple[str, ...]:
    """What the user may do, as words of ACL SETUSER after the name: nothing of before, then this. No password.

    Args:
        host: whose agent it is.
        version: of the server, such as (7, 0), in Redis' numbers or Valkey's own.
        clustered: whether it must find its node itself.
        keys: where the keys stand.
    """
    keys = keys or Keys()
    named = [*FUNCTIONS.split(), *IN_FUNCTIONS.split(), *ITSELF.split(), *CONNECTION.split()]
    named += CLUSTER.split() if clustered else []
    named += ["client|setinfo"] if version >= _SETINFO_SINCE else []
    bundles = keys.bundle("*")
    return (
        "reset",
        "on",
        f"~{keys.host(host)}*",
        f"%R~{bundles}",
        "resetchannels",
        "-@all",
        *(f"+{name}" for name in named),
    )


def setuser(host: str, words: tuple[str, ...], password: str) -> tuple[str, ...]:
    """The whole command; `password` is a rule of its own: `>TEXT`, or `#SHA256` in hexadecimal."""
    return "ACL", "SETUSER", user_name(host), *words, password
