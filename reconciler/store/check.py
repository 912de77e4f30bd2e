"""Whether a server can hold the store: its version, role, memory and policies, each failure with its remedy."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import InvalidInput, ReconcilerError, Unavailable
from reconciler.resources.values import dataclass

OLDEST = {"redis": (7, 0), "valkey": (7, 2)}


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What INFO says of one server, as far as it matters here."""

    name: str
    """`redis` or `valkey`."""
    version: str
    clustered: bool
    replica: bool
    loading: bool
    policy: str
    """`maxmemory-policy`; empty where INFO does not tell."""
    used_bytes: int
    limit_bytes: int
    """0: no limit."""

    @classmethod
    def parse(cls, info: str) -> ServerFacts:
        """From INFO's text."""
        lines = (line.split(":", 1) for line in info.splitlines() if ":" in line)
        found: Mapping[str, str] = {name: value.strip() for name, value in lines}
        name = found.get("server_name", "redis")
        return cls(
            name=name,
            version=found.get(f"{name}_version") or found.get("redis_version", ""),
            clustered=found.get("redis_mode", found.get("server_mode")) == "cluster",
            replica=found.get("role") == "slave",
            loading=found.get("loading") == "1",
            policy=found.get("maxmemory_policy", ""),
            used_bytes=int(found.get("used_memory", 0)),
            limit_bytes=int(found.get("maxmemory", 0)),
        )


def verdict(facts: ServerFacts, where: str, *, read_only: bool, as_cluster: bool) -> ReconcilerError | None:
    """What is wrong with a server, or None. Who only reads may use a replica, and a full server."""
    if facts.clustered and not as_cluster:
        hint = "Use redis+cluster:// in RECONCILER_REDIS_URL."
        return InvalidInput.of("redis-is-cluster", f"{where}: this server is one node of a cluster", hint=hint)
    oldest = OLDEST.get(facts.name, OLDEST["redis"])
    if facts.version and numbers(facts.version) < oldest:
        message = f"{facts.name} {facts.version} is too old"
        return InvalidInput.of("redis-too-old", f"{where}: {message}", hint="Redis 7.0 or Valkey 7.2 is needed.")
    if facts.loading:
        return Unavailable.of(
            "redis-loading", f"{where}: the server is still loading its data", hint="Try again in a moment."
        )
    return None if read_only else _against_writing(facts, where)


def _against_writing(facts: ServerFacts, where: str) -> ReconcilerError | None:
    if facts.replica:
        hint = "Point RECONCILER_REDIS_URL at the primary, or use redis+sentinel:// so that it is found."
        return Unavailable.of("redis-read-only", f"{where}: this is a read-only replica", hint=hint)
    if facts.policy not in {"", "noeviction"}:
        message = f"maxmemory-policy is {facts.policy}, which silently drops our keys"
        return InvalidInput.of(
            "redis-evicts", f"{where}: {message}", hint="Set it: CONFIG SET maxmemory-policy noeviction"
        )
    if facts.limit_bytes and facts.used_bytes >= facts.limit_bytes:
        message = f"the memory limit is reached ({facts.used_bytes} of {facts.limit_bytes} bytes)"
        return Unavailable.of("redis-full", f"{where}: {message}", hint="Raise maxmemory.")
    return None


def numbers(version: str) -> tuple[int, ...]:
    """Major and minor of a version, for comparing."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
