"""A host's Redis user reaches its own slot, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.model.alerts import AlertState, Transition
from reconciler.store import Store
from reconciler.store.server import Server
from tests.integration.agent.conftest import Fleet, everywhere
from tests.unit.alerting.rules import firing

FORBIDDEN = [
    ("GET", "rc:{edge-2}:ledger"),
    ("HGETALL", "rc:{edge-2}:desired"),
    ("HSET", "rc:{edge-2}:desired", "statement", "forged"),
    ("DEL", "rc:{edge-2}:desired"),
    ("XADD", "rc:{edge-2}:events", "*", "kind", "lie"),
    ("FCALL", "reconciler_facts_write", 1, "rc:{edge-2}:", "os", "1"),
    ("FCALL", "reconciler_lease_acquire", 1, "rc:{_}:", "control", "control", "n", "me", 1000, "1"),
    ("FCALL", "reconciler_host_forget", 1, "rc:{edge-2}:", 0, 60),
    ("FCALL", "reconciler_alerts_write", 1, "rc:{edge-2}:", 0, 10, 0),
    ("FCALL", "reconciler_outbox_put", 1, "rc:{_}:", 0, 60, "1", "{}"),
    ("HGETALL", "rc:{_}:fleet"),
    ("XADD", "rc:{_}:events", "*", "kind", "lie"),
    ("ZADD", "rc:{pool:ops}:ready", 0, "edge-2"),
    ("SET", "rc:bundle:{abc}", "forged"),
    ("EVAL", "return redis.call('GET', 'rc:{edge-2}:ledger')", 0),
    ("EVAL", "while true do end", 1, "rc:{edge-1}:x"),
    ("EVALSHA", "0" * 40, 1, "rc:{edge-1}:x"),
    ("SCRIPT", "LOAD", "return 1"),
    ("FUNCTION", "LOAD", "REPLACE", "#!lua name=reconciler\nredis.register_function('a', function() end)"),
    ("FUNCTION", "FLUSH"),
    ("FUNCTION", "DELETE", "reconciler"),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "GET", "*"),
    ("ACL", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("MONITOR",),
    ("SHUTDOWN", "NOSAVE"),
    ("SUBSCRIBE", "anything"),
    ("PUBLISH", "anything", "x"),
    ("MIGRATE", "127.0.0.1", "1", "rc:{edge-1}:facts", "0", "1"),
    ("SORT", "rc:{edge-1}:queue", "BY", "rc:{edge-2}:*"),
    ("COPY", "rc:{edge-1}:facts", "rc:{edge-2}:facts"),
    ("RENAME", "rc:{edge-1}:facts", "rc:{edge-2}:facts"),
]


@pytest.fixture
def link(fleet: Fleet) -> Iterator[Server]:
    """Redis as edge-1's user has it."""
    with fleet.edges["edge-1"].parts() as parts:
        yield link_of(parts.store)


@everywhere
def test_what_is_not_its_own_is_out_of_reach(link: Server) -> None:
    for command in FORBIDDEN:
        keyed = command[0] not in {"KEYS", "SCAN", "RANDOMKEY", "FLUSHALL", "FLUSHDB", "CONFIG", "ACL", "CLIENT"}
        with pytest.raises(InvalidInput) as error:
            link.send(*command) if keyed and len(command) > 1 else link.ask_primaries(*map(str, command))
        assert error.value.problems[0].code == "redis-no-permission", command


@everywhere
def test_a_function_with_any_arguments_comes_to_an_end(link: Server) -> None:
    write = ("FCALL", "reconciler_desired_write", 1, "rc:{edge-1}:", 0, 1, "{}", "signature", "")
    for counted in (-3, 0, "1e15", "inf", "nan", "0.5", "x"):
        with suppress(ReconcilerError):
            link.send(*write, "hello", "{}", counted, "key", "value", repeatable=False)
        with suppress(ReconcilerError):
            link.send("FCALL", "reconciler_alerts_write", 1, "rc:{edge-1}:", 0, 10, counted, "CpuBusy", "{}")
        assert link.send("EXISTS", "rc:{edge-1}:desired", repeatable=False) in {0, 1}, counted


@everywhere
def test_its_own_slot_and_bundles_are_within_reach(fleet: Fleet, link: Server) -> None:
    fleet.ops("apply", "--yes")
    assert link.send("HGETALL", "rc:{edge-1}:desired")
    said = fleet.store.desired.read("edge-1")
    assert said is not None
    assert link.send("GET", f"rc:bundle:{{{said.apps['hello'].bundle}}}")


@everywhere
def test_it_speaks_of_its_own_alerts(fleet: Fleet) -> None:
    busy = firing("CpuBusy", "edge-1")
    with fleet.edges["edge-1"].parts() as parts:
        parts.store.alerts.write("edge-1", {busy.id: busy}, [Transition(busy, AlertState.PENDING, busy.since)])
        parts.store.alerts.hold("edge-1", "hello", 60)
        assert parts.store.alerts.held("edge-1") == {"hello"}
        assert parts.store.alerts.read(["edge-1"]) == {busy.id: busy}


def test_a_check_says_what_is_lacking_and_how_to_get_it(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.beside("--check") as check:
        assert check.ends() == 0
        assert "works in the slot of edge-1" in check.told()
    edge.environment["RECONCILER_HOST"] = "edge-2"
    with edge.beside("--check") as check:
        assert check.ends() == 1
        assert "this user may not do that" in check.told()


def test_the_command_that_makes_a_user_is_printed_for_the_server(fleet: Fleet) -> None:
    ran = fleet.ops("hosts", "acl", "edge-1")
    assert ran.code == 0
    assert ran.out.startswith(
        "ACL SETUSER reconciler-edge-1 reset on ~rc:{edge-1}:* %R~rc:bundle:{*} resetchannels -@all"
    )
    assert ran.out.rstrip().endswith(">PASSWORD")
    assert len(fleet.ops("hosts", "acl").out.splitlines()) == 2


def link_of(store: Store) -> Server:
    link = store._opened.link
    assert isinstance(link, Server)
    return link
