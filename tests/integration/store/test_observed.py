from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.model.desired import SignedStatement
from reconciler.model.observed import Applied, AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.model.work import RUN, Work
from reconciler.store import HostWrite, Store, host_lease
from tests.integration.store.conftest import Inside

SHORT = ObservedApp(
    generation=1790000000123,
    digest="d" * 64,
    status=AppStatus.CONVERGED,
    revision="1a2b3c4",
    secrets="f" * 32,
    error="nothing really",
    drift=(Drift("file:/etc/motd", "change", ("mode: 0600 -> 0644", "content")), Drift("link:/x", "add")),
    finished_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    verified_at=datetime(2026, 1, 2, 3, 5, 0, 1, UTC),
)
PLAIN = ObservedApp(1, "e" * 64, AppStatus.FAILED)
LONG = Applied("b" * 64, '{"config":{"port":80}}', {"file:/etc/motd": "0" * 64}, ("package:nginx",))


def test_short_and_long_forms_are_read_as_they_were_written(store: Store) -> None:
    assert store.observed.write("web-1", {"webapp": (SHORT, LONG), "mariadb": (PLAIN, None)}, token=1)
    assert store.observed.read(["web-1"]) == {"web-1": ObservedHost({"webapp": SHORT, "mariadb": PLAIN})}
    pairs = [("web-1", "webapp"), ("web-1", "mariadb"), ("web-2", "webapp")]
    assert store.observed.applied(pairs) == {("web-1", "webapp"): LONG}


def test_a_look_without_an_apply_keeps_the_long_form(store: Store) -> None:
    store.observed.write("web-1", {"webapp": (PLAIN, LONG)}, token=1)
    store.observed.write("web-1", {"webapp": (SHORT, None)}, token=1)
    assert store.observed.read(["web-1"])["web-1"].apps == {"webapp": SHORT}
    assert store.observed.applied([("web-1", "webapp")]) == {("web-1", "webapp"): LONG}


def test_an_executor_of_the_past_writes_nothing(store: Store) -> None:
    store.observed.write("web-1", {"webapp": (SHORT, LONG)}, token=8)
    assert not store.observed.write("web-1", {"webapp": (PLAIN, None)}, token=7)
    assert not store.observed.remove_app("web-1", "webapp", token=7)
    assert store.observed.read(["web-1"])["web-1"].apps == {"webapp": SHORT}


def test_the_tokens_of_a_host_grow_over_leases_and_claims(store: Store) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN), Work("r2", "web-1", RUN)])
    first = store.leases.acquire(host_lease("web-1"), "ops-1", 30)
    second, third = store.work.claim("web-1", holder="ops-1", nonce="n", limit=2)
    assert first
    assert first.term < second.token < third.token


def test_a_removed_app_is_gone_with_its_long_form(store: Store) -> None:
    store.observed.write("web-1", {"webapp": (SHORT, LONG), "mariadb": (PLAIN, None)}, token=1)
    assert store.observed.remove_app("web-1", "webapp", token=1)
    assert store.observed.read(["web-1"])["web-1"].apps == {"mariadb": PLAIN}
    assert store.observed.applied([("web-1", "webapp")]) == {}


def test_facts_are_replaced_as_a_whole_and_stamped_by_redis(store: Store, inside: Inside) -> None:
    store.observed.write_facts("web-1", {"os": {"id": "debian"}, "cores": 4})
    store.observed.write_facts("web-1", {"os": {"id": "ubuntu"}})
    assert store.observed.read(["web-1"])["web-1"].facts == {"os": {"id": "ubuntu"}}
    assert float(inside.link.send("HGET", "rc:{web-1}:facts", "seen_at")) > 1_700_000_000


def test_a_host_out_of_reach_keeps_the_moment_of_the_first_time_until_it_is_met_again(store: Store) -> None:
    store.observed.write_unreachable("web-1", "no route to host")
    first = store.observed.read(["web-1"])["web-1"]
    assert (first.facts, first.seen_at, first.unreachable) == (None, None, "no route to host")
    store.observed.write_unreachable("web-1", "connection refused")
    second = store.observed.read(["web-1"])["web-1"]
    assert second.unreachable == "connection refused"
    assert second.unreachable_since == first.unreachable_since is not None
    store.observed.write_facts("web-1", {"cores": 4})
    met = store.observed.read(["web-1"])["web-1"]
    assert (met.facts, met.unreachable, met.unreachable_since) == ({"cores": 4}, "", None)
    assert met.seen_at
    store.observed.write_unreachable("web-1", "connection refused")
    assert store.observed.read(["web-1"])["web-1"].facts == {"cores": 4}


def test_the_ledgers_mirror_is_part_of_a_host(store: Store) -> None:
    store.observed.write_ledger("web-1", generation=7, paused={"*": "moving racks"}, rejected=["d1", "d2"])
    expected = ObservedHost(generation=7, paused={"*": "moving racks"}, rejected=frozenset({"d1", "d2"}))
    assert store.observed.read(["web-1"]) == {"web-1": expected}


@pytest.mark.parametrize(("ledger", "written", "highest"), [(7, 9, 9), (9, 7, 9)])
def test_a_hosts_generation_is_the_highest_seen_or_sent(store: Store, ledger: int, written: int, highest: int) -> None:
    store.observed.write_ledger("web-1", generation=ledger)
    store.desired.write(1, [HostWrite("web-1", SignedStatement(b"{}", b"s"), written, {})])
    assert store.observed.read(["web-1"])["web-1"].generation == highest


def test_a_host_never_heard_from_is_not_among_the_observed(store: Store) -> None:
    store.desired.write(1, [HostWrite("web-1", SignedStatement(b"{}", b"s"), 1, {})])
    assert store.observed.hosts() == {"web-1"}
    assert store.observed.read(["web-1"]) == {}
    assert store.observed.read(["web-1", "web-2"]) == {}


def test_all_hosts_are_read_in_the_order_of_their_names(store: Store) -> None:
    names = [f"web-{number:04}" for number in range(600)]
    for name in reversed(names):
        store.observed.write_ledger(name, generation=1)
    assert list(store.observed.read(names)) == names


def test_a_forgotten_host_is_not_observed_any_more(store: Store, inside: Inside) -> None:
    store.observed.write("web-1", {"webapp": (SHORT, LONG)}, token=1)
    store.observed.write_facts("web-1", {"cores": 4})
    store.observed.write_ledger("web-1", generation=7)
    store.work.enqueue([Work("r1", "web-1", RUN), Work("r2", "web-1", RUN)])
    store.work.cancel("web-1", "r1")
    store.work.claim("web-1", holder="ops-1", nonce="n")
    store.leases.acquire(host_lease("web-1"), "ops-1", 30)
    store.desired.forget("web-1", 1)
    assert store.observed.read(["web-1"]) == {}
    assert [key for key in inside.all_keys() if "{web-1}" in key] == ["rc:{web-1}:numbers"]
