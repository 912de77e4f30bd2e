"""Whoever else writes to the same Redis: a record that is not ours counts as absent, is told, and harms no other."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from functools import cache

import pytest

from reconciler.errors import InvalidInput
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.model.work import Work
from reconciler.store import FleetState, ReconcileRequest, Store
from reconciler.store.reading import MOST_PROBLEMS
from tests.integration.store.conftest import Inside

ODD = (
    b"",
    b"x",
    b"[]",
    b"{}",
    b"5",
    b"null",
    b'"s"',
    b"true",
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 5000,
    b"[" * 100_000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b"\xff\xfe",
    b"\0",
    b'{"generation":"x","digest":5,"status":{}}',
    b'{"generation":1,"digest":"d","status":"converged","drift":[5]}',
    b'{"generation":1,"digest":"d","status":"converged","finished_at":{"a":1}}',
    b'{"generation":1,"digest":"d","status":"converged","finished_at":1e300}',
    b'{"generation":1,"digest":"d","status":"converged","finished_at":1e17}',
    b'{"generation":1,"digest":"d","status":"unconfirmed","finished_at":253402300799}',
    b'{"generation":1,"digest":"d","status":"converged","verified_at":-62135596800}',
    b'{"generation":9223372036854775807,"digest":"d","status":"converged"}',
)
HOST = "rc:{web-1}:"
GOOD = ObservedApp(generation=1, digest="d", status=AppStatus.CONVERGED)


def told(store: Store) -> list[str]:
    assert {problem.code for problem in store.problems} <= {"store-record"}
    return [problem.message.partition(" in Redis is not")[0] for problem in store.problems]


def test_an_odd_app_is_absent_and_its_neighbours_are_not(store: Store, inside: Inside) -> None:
    assert store.observed.write("web-1", {"good": (GOOD, None)}, 1)
    for odd in ODD:
        inside.link.send("HSET", HOST + "observed", "odd", odd)
        assert store.observed.read(["web-1"])["web-1"].apps == {"good": GOOD}, odd[:80]
    assert told(store) == ["rc:{web-1}:observed b'odd'"]


def test_facts_with_an_odd_one_among_them_are_unknown(store: Store, inside: Inside) -> None:
    store.observed.write_facts("web-1", {"kernel": "6.1"})
    for odd in (b"", b"x", b"NaN", b"1e999", b"9" * 5000, b"[" * 100_000, b"\xff", b"[" * 99 + b"]" * 99):
        inside.link.send("HSET", HOST + "facts", "odd", odd)
        assert store.observed.read(["web-1"])["web-1"].facts is None, odd[:80]
    assert told(store) == ["rc:{web-1}:facts b'odd'"]


@pytest.mark.parametrize(
    "field",
    [{"generation": {}}, {"generation": -1}, {"generation": 2**63 - 1}, {"rejected": 10**30}, {"paused": {"a": 5}}],
)
def test_an_odd_mirror_of_the_ledger_leaves_the_apps(store: Store, inside: Inside, field: object) -> None:
    assert store.observed.write("web-1", {"good": (GOOD, None)}, 1)
    inside.link.send("SET", HOST + "ledger", json.dumps(field))
    seen = store.observed.read(["web-1"])["web-1"]
    assert (seen.apps, seen.generation, seen.rejected, seen.paused) == ({"good": GOOD}, 0, frozenset(), {})


_READS: dict[str, tuple[Callable[[Store], object], str]] = {
    "hosts": (lambda store: store.observed.hosts() or None, "rc:{_}:hosts"),
    "observed": (lambda store: store.observed.read(["web-1"]) or None, HOST + "observed"),
    "applied": (lambda store: store.observed.applied([("web-1", "a")]) or None, HOST + "applied:a"),
    "desired": (lambda store: store.desired.read("web-1"), HOST + "desired"),
    "statements": (lambda store: store.desired.statements(["web-1"]) or None, HOST + "desired"),
    "generations": (lambda store: store.desired.generations(["web-1"]) or None, HOST + "numbers"),
    "bundles": (lambda store: store.desired.bundles(["a"]) or None, "rc:bundle:{a}"),
    "work": (lambda store: store.work.get("web-1", "a"), HOST + "work:a"),
    "works": (lambda store: store.work.list("web-1") or None, HOST + "queue"),
    "lease": (lambda store: store.leases.current("control"), "rc:{_}:control"),
    "fleet": (lambda store: store.fleet.current(), "rc:{_}:fleet"),
    "history": (lambda store: store.journal.recent() or None, "rc:{_}:events"),
}


@pytest.mark.parametrize("name", _READS)
def test_a_key_of_another_type_counts_as_absent(store: Store, inside: Inside, name: str) -> None:
    read, key = _READS[name]
    for command in (("SET", key, "x"), ("RPUSH", key, "x")):
        inside.link.send("DEL", key)
        inside.link.send(*command)
        assert read(store) is None
    assert told(store) == [key]


def test_an_odd_lease_is_nobodys(store: Store, inside: Inside) -> None:
    for odd in (b"", b"\xff", b"x y z", b"5 x", b"9" * 5000 + b" a b"):
        inside.link.send("SET", "rc:{_}:control", odd)
        assert store.leases.current("control") is None
    assert told(store) == ["rc:{_}:control"]


@pytest.mark.parametrize("details", [b"[1]", b"x", b"\xff"])
def test_odd_events_are_left_out_of_the_history(store: Store, inside: Inside, details: bytes) -> None:
    store.journal.append("applied")
    inside.link.send("XADD", "rc:{_}:events", "*", "a", "b")
    inside.link.send("XADD", "rc:{_}:events", "*", "kind", "k", "host", "", "app", "", "details", details)
    assert [event.kind for event in store.journal.recent()] == ["applied"]


@pytest.mark.parametrize("field", ["args", "state", "priority", "created_at"])
def test_an_odd_piece_of_work_is_left_out_of_the_list(store: Store, inside: Inside, field: str) -> None:
    store.work.enqueue([Work("odd", "web-1", "run"), Work("good", "web-1", "run")])
    inside.link.send("ZADD", HOST + "queue", 0, b"\xff")
    for odd in (b"[]", b"\xff", b"x", b"1e999"):
        inside.link.send("HSET", HOST + "work:odd", field, odd)
        assert [work.id for work in store.work.list("web-1")] == ["good"]
    assert told(store) == [HOST + "queue", HOST + "work:odd"]


def test_odd_work_is_not_handed_out_and_ends_as_dead(store: Store, inside: Inside) -> None:
    store.work.enqueue([Work("odd", "web-1", "run", priority=1), Work("good", "web-1", "run")])
    inside.link.send("HSET", HOST + "work:odd", "args", "[" * 100_000)
    ids = []
    for number in range(20):
        ids += [claim.work.id for claim in store.work.claim("web-1", holder="ops", nonce=f"n{number}", limit=2)]
        inside.lease_runs_out("web-1", "odd")
    assert ids == ["good"]
    store.work.claim("web-1", holder="ops", nonce="d", limit=2)
    assert inside.link.send("HGET", HOST + "work:odd", "state") == b"dead"


@pytest.mark.parametrize("odd", [b"x", b"[]", b"{}", b'{"id":5}', b'{"id":"a","by":"b","more":1,"reason":[]}', b"\xff"])
def test_an_odd_request_is_passed_over_and_the_next_one_is_heard(store: Store, inside: Inside, odd: bytes) -> None:
    inside.link.send("RPUSH", "rc:{_}:requests", odd)
    store.fleet.request_reconcile(ReconcileRequest("1", "ann"))
    inside.link.send("RPUSH", "rc:{_}:answer:1", odd)
    assert store.fleet.wait_request(0.1) is None
    assert store.fleet.wait_request(0.1) == ReconcileRequest("1", "ann")
    assert store.fleet.wait_answer("1", 0.1) is None


def test_hints_that_are_no_hints_are_told_by_name_and_keep_no_work_from_being_enqueued(
    store: Store, inside: Inside
) -> None:
    inside.link.send("SET", "rc:{pool:ops}:ready", "of another program")
    assert store.work.enqueue([Work("a", "web-1", "run")]) == 1
    assert [problem.message.partition(" in Redis")[0] for problem in store.untold()] == ["rc:{pool:ops}:ready"]
    assert store.untold() == []
    for wait_seconds in (0, 0.01):
        with pytest.raises(InvalidInput, match=re.escape("rc:{pool:ops}:ready holds something else")):
            store.work.ready(wait_seconds=wait_seconds)
    assert inside.link.send("GET", "rc:{pool:ops}:ready") == b"of another program"
    assert inside.seconds_to_live("rc:{pool:ops}:ready") == -1


def test_a_state_of_the_fleet_with_fields_of_a_later_version_is_read(store: Store, inside: Inside) -> None:
    inside.link.send("HSET", "rc:{_}:fleet", "revision", "abc", "colour", "red")
    assert store.fleet.current() == FleetState("abc")
    inside.link.send("HSET", "rc:{_}:fleet", "at", "soon")
    assert store.fleet.current() is None


@cache
def flood() -> bytes:
    """320 MiB in not much more than 1."""
    packer = zlib.compressobj(level=1)
    return b"".join(packer.compress(bytes(16 << 20)) for _ in range(20)) + packer.flush()


def test_a_compressed_flood_is_not_unpacked(store: Store, inside: Inside) -> None:
    inside.link.send("SET", "rc:bundle:{a}", flood())
    assert store.desired.bundles(["a"]) == {}


@pytest.mark.parametrize("values", ["x", "[]", "5"])
def test_values_that_are_no_map_are_found_here_and_not_by_who_renders_them(
    store: Store, inside: Inside, values: str
) -> None:
    assert store.observed.write("web-1", {"good": (GOOD, Applied("sha", values, {}))}, 1)
    record = json.dumps({"bundle": "sha", "values": values, "digest": "d"})
    inside.link.send("HSET", HOST + "desired", "generation", 1, "app:good", record)
    assert store.observed.applied([("web-1", "good")]) == {}
    desired = store.desired.read("web-1")
    assert desired
    assert desired.apps == {}


def test_problems_cannot_fill_the_memory(store: Store, inside: Inside) -> None:
    names = [word for number in range(2 * MOST_PROBLEMS) for word in (f"app-{number}", "x")]
    inside.link.send("HSET", HOST + "observed", *names)
    assert store.observed.read(["web-1"])["web-1"].apps == {}
    assert len(store.problems) == MOST_PROBLEMS
