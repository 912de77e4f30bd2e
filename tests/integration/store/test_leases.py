from __future__ import annotations

import pytest

from reconciler.store import CONTROL, Store, host_lease
from tests.integration.store.conftest import Inside

BOTH = pytest.mark.parametrize("name", [CONTROL, host_lease("web-1"), host_lease("control")])


@BOTH
def test_only_one_holds_a_lease(store: Store, name: str) -> None:
    lease = store.leases.acquire(name, "ops-1", 30)
    assert store.leases.acquire(name, "ops-2", 30) is None
    assert store.leases.current(name) == lease


@BOTH
def test_the_same_holder_does_not_get_it_twice_since_two_processes_may_share_a_name(store: Store, name: str) -> None:
    assert store.leases.acquire(name, "ops-1", 30)
    assert store.leases.acquire(name, "ops-1", 30) is None


@BOTH
def test_a_released_lease_is_free_and_the_next_term_is_higher(store: Store, name: str) -> None:
    first = store.leases.acquire(name, "ops-1", 30)
    assert first
    store.leases.release(first)
    assert store.leases.current(name) is None
    second = store.leases.acquire(name, "ops-2 (watch)", 30)
    assert second
    assert second.term > first.term
    assert second.holder == "ops-2 (watch)"


def test_terms_grow_also_after_a_lease_ran_out(store: Store, inside: Inside) -> None:
    terms = []
    for _ in range(5):
        lease = store.leases.acquire(CONTROL, "ops-1", 30)
        assert lease
        terms.append(lease.term)
        inside.control_runs_out()
    assert terms == sorted(set(terms))


def test_terms_grow_also_after_everything_was_lost(store: Store, inside: Inside) -> None:
    before = store.leases.acquire(CONTROL, "ops-1", 30)
    inside.link.ask_primaries("FLUSHALL")
    after = store.leases.acquire(CONTROL, "ops-1", 30)
    assert before
    assert after
    assert after.term > before.term


def test_a_lease_that_ran_out_cannot_be_renewed_or_released_over_its_successor(store: Store, inside: Inside) -> None:
    old = store.leases.acquire(host_lease("web-1"), "ops-1", 30)
    assert old
    assert store.leases.renew(old, 30)
    inside.host_lease_runs_out("web-1")
    assert not store.leases.renew(old, 30)
    new = store.leases.acquire(host_lease("web-1"), "ops-2", 30)
    assert not store.leases.renew(old, 30)
    store.leases.release(old)
    assert store.leases.current(host_lease("web-1")) == new


def test_a_take_over_ends_the_others_lease(store: Store) -> None:
    old = store.leases.acquire(CONTROL, "ops-1", 30)
    new = store.leases.acquire(CONTROL, "ops-2", 30, take_over=True)
    assert old
    assert new
    assert new.term > old.term
    assert not store.leases.renew(old, 30)
    assert store.leases.current(CONTROL) == new


def test_a_lease_runs_out_by_itself(store: Store) -> None:
    assert store.leases.acquire(CONTROL, "ops-1", 0.001)
    assert any(store.leases.acquire(CONTROL, "ops-2", 30) for _ in range(1000))
