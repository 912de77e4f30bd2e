"""In which order runs and converge marks of a host are handed out, what they print, and named locks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.clock import SystemClock
from reconciler.loops.running.lock_grants import grant_locks
from reconciler.model.work import CONVERGE, RUN, Claim, Lane, Work, WorkState
from reconciler.store import Store, Waiter
from tests.fakes.clock import FakeClock
from tests.integration.store.conftest import Inside

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2100, 1, 1, tzinfo=UTC)


def mark(app: str = "webapp") -> Work:
    return Work(f"converge:{app}", "web-1", CONVERGE, {"app": app})


def claimed(store: Store, kind: str, lane: Lane = Lane.MAIN, limit: int = 10) -> list[Claim]:
    nonce = f"n{claimed.__dict__.setdefault('calls', 0)}"
    claimed.__dict__["calls"] += 1
    return list(store.work.claim("web-1", holder="ops-1", nonce=nonce, limit=limit, lane=lane, kind=kind))


def ids(claims: list[Claim]) -> list[str]:
    return [claim.work.id for claim in claims]


def test_what_changes_resources_keeps_its_order_across_kinds(store: Store) -> None:
    store.work.enqueue([mark("a"), Work("r1", "web-1", RUN), mark("b")])
    assert claimed(store, RUN) == []
    first = claimed(store, CONVERGE)
    assert ids(first) == ["converge:a"]
    assert claimed(store, RUN) == [], "the mark is still under way"
    store.work.finish(first[0], WorkState.SUCCEEDED)
    second = claimed(store, RUN)
    assert ids(second) == ["r1"]
    assert claimed(store, CONVERGE) == [], "the run is still under way"
    store.work.finish(second[0], WorkState.SUCCEEDED)
    assert ids(claimed(store, CONVERGE)) == ["converge:b"]


def test_runs_in_the_main_lane_go_one_after_the_other(store: Store) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN), Work("r2", "web-1", RUN)])
    first = claimed(store, RUN)
    assert ids(first) == ["r1"]
    assert claimed(store, RUN) == []
    store.work.finish(first[0], WorkState.FAILED)
    assert ids(claimed(store, RUN)) == ["r2"]


def test_a_run_that_is_given_back_keeps_its_place_also_while_nobody_is_given_it(store: Store) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN), Work("r2", "web-1", RUN)])
    (first,) = claimed(store, RUN)
    assert store.work.let_go(first, {"reason": "its executor stops"})
    assert not store.work.start(first)
    (again,) = claimed(store, RUN)
    assert (again.work.id, again.attempt) == ("r1", 2)
    assert store.work.let_go(again, {"reason": "its host is busy"}, seconds=60)
    assert claimed(store, RUN) == []


def test_the_side_lane_waits_for_nobody(store: Store) -> None:
    store.work.enqueue([mark(), Work("r1", "web-1", RUN, lane=Lane.SIDE), Work("r2", "web-1", RUN, lane=Lane.SIDE)])
    assert ids(claimed(store, RUN, Lane.SIDE)) == ["r1", "r2"]
    assert ids(claimed(store, CONVERGE)) == ["converge:webapp"]


def test_a_retry_comes_back_into_its_own_lane(store: Store) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN, lane=Lane.SIDE)])
    (claim,) = claimed(store, RUN, Lane.SIDE)
    store.work.finish(claim, WorkState.RETRYING, retry_at=NOW)
    assert claimed(store, RUN) == []
    assert ids(claimed(store, RUN, Lane.SIDE)) == ["r1"]


def test_of_what_is_printed_the_end_is_kept_and_read_on_from_anywhere(store: Store) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN)])
    (claim,) = claimed(store, RUN)
    assert store.work.add_output(claim, "first\n")
    seen = store.work.output("web-1", "r1")
    assert (seen.text, seen.end_bytes) == ("first\n", 6)
    assert store.work.add_output(claim, "second\n")
    assert store.work.output("web-1", "r1", seen.end_bytes).text == "second\n"
    assert store.work.add_output(claim, "x" * 100_000)
    assert len(store.work.output("web-1", "r1").text) == 65536
    assert store.work.output("web-1", "r1").end_bytes == 100_013


def test_who_lost_a_run_can_print_no_more(store: Store, inside: Inside) -> None:
    store.work.enqueue([Work("r1", "web-1", RUN)])
    (stale,) = claimed(store, RUN)
    inside.lease_runs_out("web-1", "r1")
    claimed(store, RUN)
    assert not store.work.add_output(stale, "late")
    assert store.work.output("web-1", "r1").text == ""


def test_a_run_is_found_on_all_of_its_hosts(store: Store) -> None:
    store.work.enqueue([Work("r1", host, RUN) for host in ("web-1", "web-2")])
    assert [work.host for work in store.work.find("r1")] == ["web-1", "web-2"]
    assert store.work.find("r2") == []


def locked(store: Store, host: str, lock: str = "mine") -> None:
    store.locks.join(Waiter(lock, host, "r1", NOW, FAR_AWAY))
    store.work.enqueue([Work("r1", host, RUN, lock=lock)])


def test_a_named_lock_is_granted_in_order_over_the_fleet(store: Store) -> None:
    for host in ("web-1", "web-2"):
        locked(store, host)
    locked(store, "web-3", "other")
    grant_locks(store, SystemClock(), ())
    grant_locks(store, SystemClock(), ())
    assert [host for host in ("web-1", "web-2", "web-3") if _begins(store, host)] == ["web-1", "web-3"]
    store.work.cancel("web-3", "r1")
    store.work.cancel("web-2", "r1")
    grant_locks(store, SystemClock(), ())
    assert not _begins(store, "web-2")


def test_a_cancelled_run_keeps_its_lock_until_its_processes_have_ended(store: Store) -> None:
    for host in ("web-1", "web-2"):
        locked(store, host)
    grant_locks(store, SystemClock(), ())
    (claim,) = store.work.claim("web-1", holder="ops-1", nonce="n1")
    store.work.start(claim)
    store.work.cancel("web-1", "r1")
    grant_locks(store, SystemClock(), ())
    assert not _begins(store, "web-2")
    store.work.finish(claim, WorkState.CANCELLED)
    grant_locks(store, SystemClock(), ())
    assert _begins(store, "web-2")


def test_a_host_that_says_for_ever_that_its_run_goes_on_loses_the_lock(store: Store, inside: Inside) -> None:
    store.locks.join(Waiter("mine", "web-1", "r1", NOW, NOW + timedelta(hours=1)))
    store.work.enqueue([Work("r1", "web-1", RUN, lock="mine")])
    locked(store, "web-2")
    clock = FakeClock(NOW.timestamp())
    grant_locks(store, clock, ())
    assert _begins(store, "web-1")
    clock.sleep(3601)
    inside.link.send("HSET", "rc:{web-1}:work:r1", "state", "running")
    grant_locks(store, clock, ())
    assert _begins(store, "web-2")
    assert store.locks.holders()[0].host == "web-2"


def test_a_run_that_was_never_submitted_does_not_keep_its_lock(store: Store) -> None:
    store.locks.join(Waiter("mine", "web-9", "never", NOW, FAR_AWAY))
    locked(store, "web-1")
    grant_locks(store, SystemClock(), ())
    assert _begins(store, "web-1")


def test_a_held_run_can_be_cancelled(store: Store) -> None:
    locked(store, "web-1")
    assert store.work.cancel("web-1", "r1")
    grant_locks(store, SystemClock(), ())
    assert not _begins(store, "web-1")


def test_a_person_can_ask_again_for_a_run_with_a_lock_in_other_words(store: Store) -> None:
    locked(store, "web-1")
    store.work.cancel("web-1", "r1")
    store.locks.join(Waiter("mine", "web-1", "r1", NOW, FAR_AWAY))
    assert store.work.retry("web-1", "r1", {"run": "anew"})
    assert not _begins(store, "web-1"), "it waits for its lock"
    grant_locks(store, SystemClock(), ())
    (claim,) = store.work.claim("web-1", holder="ops-1", nonce="again")
    assert claim.work.args == {"run": "anew"}


def _begins(store: Store, host: str) -> bool:
    return bool(store.work.claim(host, holder="ops-1", nonce=f"{host}-{len(store.work.list())}"))
