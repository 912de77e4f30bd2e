from __future__ import annotations

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.store.check import ServerFacts, verdict

GOOD = {
    "redis_version": "7.0.15",
    "redis_mode": "standalone",
    "role": "master",
    "loading": "0",
    "maxmemory_policy": "noeviction",
    "used_memory": "1000",
    "maxmemory": "0",
}


def facts(**lines: str) -> ServerFacts:
    return ServerFacts.parse("# Server\r\n" + "".join(f"{key}:{value}\r\n" for key, value in (GOOD | lines).items()))


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {"redis_version": "8.2.1"},
        {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"},
        {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "7.2.4"},
        {"maxmemory": "2000"},
    ],
)
def test_a_server_that_can_hold_the_store(lines: dict[str, str]) -> None:
    assert verdict(facts(**lines), "here", read_only=False, as_cluster=False) is None


@pytest.mark.parametrize(
    ("lines", "code", "kind"),
    [
        ({"redis_version": "6.2.14"}, "redis-too-old", InvalidInput),
        ({"redis_mode": "cluster"}, "redis-is-cluster", InvalidInput),
        ({"loading": "1"}, "redis-loading", Unavailable),
        ({"role": "slave"}, "redis-read-only", Unavailable),
        ({"maxmemory_policy": "volatile-lru"}, "redis-evicts", InvalidInput),
        ({"maxmemory": "900"}, "redis-full", Unavailable),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy(lines: dict[str, str], code: str, kind: type) -> None:
    error = verdict(facts(**lines), "redis://here", read_only=False, as_cluster=False)
    assert isinstance(error, kind)
    assert error
    (problem,) = error.problems
    assert problem.code == code
    assert problem.message.startswith("redis://here: ")
    assert problem.hint


def test_info_that_tells_nothing_is_not_held_against_a_server() -> None:
    assert verdict(ServerFacts.parse(""), "here", read_only=False, as_cluster=False) is None


def test_who_only_reads_may_use_a_full_replica() -> None:
    full_replica = facts(role="slave", maxmemory="900", maxmemory_policy="allkeys-lru")
    assert verdict(full_replica, "here", read_only=True, as_cluster=False) is None
