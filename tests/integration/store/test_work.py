from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.errors import Refused
from reconciler.model.work import CONVERGE, RUN, Claim, Work, WorkState
from reconciler.store import Finish, Store
from tests.integration.store.conftest import Inside

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2100, 1, 1, tzinfo=UTC)


def run(work_id: str, host: str = "web-1", priority: int = 5) -> Work:
    return Work(work_id, host, RUN, {"job": "backup"}, priority=priority)


def mark(app: str = "webapp", host: str = "web-1", reason: str = "") -> Work:
    return Work(f"converge:{app}", host, CONVERGE, reason=reason)


def claim_one(store: Store, nonce: str, host: str = "web-1") -> Claim:
    (claim,) = store.work.claim(host, holder="ops-1", nonce=nonce)
    return claim


def state_of(store: Store, work_id: str, host: str = "web-1") -> WorkState | None:
    work = store.work.get(host, work_id)
    return work.state if work else None


def test_a_run_goes_from_queued_over_leased_and_running_to_succeeded(store: Store) -> None:
    store.work.enqueue([run("r1")])
    seen = [state_of(store, "r1")]
    claim = claim_one(store, "n1")
    seen.append(state_of(store, "r1"))
    store.work.start(claim)
    seen.append(state_of(store, "r1"))
    store.work.finish(claim, WorkState.SUCCEEDED, {"exit_code": 0})
    seen.append(state_of(store, "r1"))

    assert seen == [WorkState.QUEUED, WorkState.LEASED, WorkState.RUNNING, WorkState.SUCCEEDED]
    record = store.work.get("web-1", "r1")
    assert record
    assert (record.result, record.args, record.attempt) == ({"exit_code": 0}, {"job": "backup"}, 1)
    assert record.created_at
    assert record.started_at
    assert record.finished_at
    assert record.created_at <= record.started_at <= record.finished_at


def test_enqueueing_a_run_twice_is_one_run_also_after_it_finished(store: Store) -> None:
    assert store.work.enqueue([run("r1"), run("r1")]) == 1
    store.work.finish(claim_one(store, "n1"), WorkState.SUCCEEDED)
    assert store.work.enqueue([run("r1")]) == 0
    assert store.work.claim("web-1", holder="ops-1", nonce="n2") == []


def test_work_is_handed_out_by_priority_and_within_it_in_order(store: Store) -> None:
    store.work.enqueue([run("second"), run("third"), run("first", priority=0), run("last", priority=9)])
    claims = store.work.claim("web-1", holder="ops-1", nonce="n1", limit=10)
    assert [claim.work.id for claim in claims] == ["first", "second", "third", "last"]


def test_claimed_work_is_not_handed_out_before_its_lease_runs_out(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    first = claim_one(store, "n1")
    assert store.work.claim("web-1", holder="ops-2", nonce="n2") == []
    inside.lease_runs_out("web-1", "r1")
    second = claim_one(store, "n3")
    assert second.token > first.token
    assert (second.attempt, second.work.deliveries) == (1, 2)


def test_a_lease_runs_out_by_itself(store: Store) -> None:
    store.work.enqueue([run("r1")])
    store.work.claim("web-1", holder="ops-1", nonce="n1", lease_seconds=0.001)
    again: list[Claim] = []
    for number in range(1000):
        again = list(store.work.claim("web-1", holder="ops-1", nonce=f"again-{number}"))
        if again:
            break
    assert [claim.work.id for claim in again] == ["r1"]


def test_every_write_of_a_stale_claim_is_refused(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    stale = claim_one(store, "n1")
    inside.lease_runs_out("web-1", "r1")
    good = claim_one(store, "n2")
    assert not store.work.start(stale)
    assert not store.work.renew(stale)
    assert not store.work.finish(stale, WorkState.FAILED)
    assert state_of(store, "r1") is WorkState.LEASED
    assert store.work.finish(good, WorkState.SUCCEEDED)


def test_a_late_renewal_keeps_work_that_nobody_else_took(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    claim = claim_one(store, "n1")
    inside.lease_runs_out("web-1", "r1")
    assert store.work.renew(claim)
    assert store.work.claim("web-1", holder="ops-2", nonce="n2") == []
    assert store.work.finish(claim, WorkState.SUCCEEDED)


def lost_three_times(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    for number in range(3):
        store.work.start(claim_one(store, f"n{number}"))
        inside.lease_runs_out("web-1", "r1")


def test_the_third_lost_delivery_ends_work_as_dead_and_has_what_it_left_ended(store: Store, inside: Inside) -> None:
    lost_three_times(store, inside)
    claim = claim_one(store, "n4")
    assert (claim.work.state, store.work.start(claim)) == (WorkState.DEAD, False)
    store.work.finish(claim, WorkState.CANCELLED)
    assert store.work.claim("web-1", holder="ops-1", nonce="n5") == []
    (dead,) = store.work.list("web-1", {WorkState.DEAD})
    assert (dead.id, dead.reason) == ("r1", "lost 3 times")


def test_a_run_that_only_waited_for_its_turn_survives_the_deaths_of_its_executors(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    for number in range(20):
        claim_one(store, f"n{number}")
        inside.lease_runs_out("web-1", "r1")
    assert store.work.claim("web-1", holder="ops-1", nonce="last") == []
    (dead,) = store.work.list("web-1", {WorkState.DEAD})
    assert dead.reason == "lost 20 times before it began"


def test_dead_work_runs_again_when_a_person_asks(store: Store, inside: Inside) -> None:
    lost_three_times(store, inside)
    store.work.finish(claim_one(store, "n4"), WorkState.CANCELLED)
    assert store.work.retry("web-1", "r1")
    claim = claim_one(store, "n5")
    assert claim.attempt == 1
    assert store.work.finish(claim, WorkState.SUCCEEDED)
    assert not store.work.retry("web-1", "r1")


def test_a_redelivered_run_tells_that_it_had_started(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    first = claim_one(store, "n1")
    assert first.work.started_at is None
    store.work.start(first)
    inside.lease_runs_out("web-1", "r1")
    assert claim_one(store, "n2").work.started_at is not None


def test_asking_again_with_the_same_nonce_gets_the_same_claims(store: Store) -> None:
    store.work.enqueue([run("r1"), run("r2"), run("r3")])
    claims = store.work.claim("web-1", holder="ops-1", nonce="n1", limit=2)
    store.work.enqueue([run("urgent", priority=0)])
    assert store.work.claim("web-1", holder="ops-1", nonce="n1", limit=2) == claims
    assert [claim.work.deliveries for claim in claims] == [1, 1]


def test_many_in_flight_do_not_hide_what_waits_behind_them(store: Store) -> None:
    store.work.enqueue([run(f"r{number:03}") for number in range(60)])
    store.work.claim("web-1", holder="ops-1", nonce="n1", limit=50)
    assert claim_one(store, "n2").work.id == "r050"


def test_a_retry_waits_for_its_time_and_counts_as_the_next_attempt(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    claim = claim_one(store, "n1")
    assert store.work.finish(claim, WorkState.RETRYING, {"exit_code": 1}, retry_at=FAR_AWAY)
    assert state_of(store, "r1") is WorkState.RETRYING
    assert store.work.claim("web-1", holder="ops-1", nonce="n2") == []
    inside.retry_comes_due("web-1", "r1")
    assert claim_one(store, "n3").attempt == 2


def test_a_retry_whose_time_has_passed_is_due_at_once(store: Store) -> None:
    store.work.enqueue([run("r1")])
    store.work.finish(claim_one(store, "n1"), WorkState.RETRYING, retry_at=LONG_AGO)
    assert claim_one(store, "n2").work.id == "r1"


def test_converge_marks_coalesce_and_leave_no_receipt(store: Store) -> None:
    assert store.work.enqueue([mark(reason="commit 1"), mark(reason="commit 2")]) == 1
    claim = claim_one(store, "n1")
    assert claim.work.reason == "commit 2"
    assert store.work.finish(claim, WorkState.SUCCEEDED)
    assert store.work.get("web-1", "converge:webapp") is None
    assert store.work.list("web-1") == []


def test_a_mark_that_comes_while_its_work_is_in_flight_is_due_again_afterwards(store: Store) -> None:
    store.work.enqueue([mark(reason="commit 1")])
    claim = claim_one(store, "n1")
    store.work.start(claim)
    assert store.work.enqueue([mark(reason="commit 2")]) == 1
    assert store.work.claim("web-1", holder="ops-1", nonce="n2") == []
    assert store.work.finish(claim, WorkState.SUCCEEDED)
    again = claim_one(store, "n3")
    assert (again.work.reason, again.attempt, again.work.started_at) == ("commit 2", 1, None)
    store.work.finish(again, WorkState.SUCCEEDED)
    assert store.work.list("web-1") == []


def test_a_mark_that_waits_for_a_retry_is_due_at_once_when_enqueued_again(store: Store) -> None:
    store.work.enqueue([mark()])
    store.work.finish(claim_one(store, "n1"), WorkState.RETRYING, retry_at=FAR_AWAY)
    assert store.work.enqueue([mark()]) == 1
    assert claim_one(store, "n2").attempt == 1


def test_a_dead_mark_lives_again_when_it_is_enqueued(store: Store, inside: Inside) -> None:
    store.work.enqueue([mark()])
    for number in range(3):
        claim_one(store, f"n{number}")
        inside.lease_runs_out("web-1", "converge:webapp")
    store.work.claim("web-1", holder="ops-1", nonce="n4")
    assert state_of(store, "converge:webapp") is WorkState.DEAD
    assert store.work.enqueue([mark()]) == 1
    assert store.work.finish(claim_one(store, "n5"), WorkState.SUCCEEDED)


def test_a_more_urgent_mark_moves_the_waiting_one_forward(store: Store) -> None:
    store.work.enqueue([run("r1"), mark()])
    assert store.work.enqueue([Work("converge:webapp", "web-1", CONVERGE, priority=1)]) == 0
    assert claim_one(store, "n1").work.id == "converge:webapp"


@pytest.mark.parametrize("state", [WorkState.QUEUED, WorkState.LEASED, WorkState.RUNNING, WorkState.RETRYING])
def test_work_is_cancelled_in_every_state(store: Store, state: WorkState) -> None:
    store.work.enqueue([run("r1")])
    claim = claim_one(store, "n1") if state is not WorkState.QUEUED else None
    if claim and state is WorkState.RUNNING:
        store.work.start(claim)
    if claim and state is WorkState.RETRYING:
        store.work.finish(claim, WorkState.RETRYING, retry_at=FAR_AWAY)
    assert state_of(store, "r1") is state

    assert store.work.cancel("web-1", "r1", reason="no longer wanted")

    (cancelled,) = store.work.list("web-1")
    assert (cancelled.state, cancelled.reason) == (WorkState.CANCELLED, "no longer wanted")
    assert store.work.claim("web-1", holder="ops-1", nonce="n2") == []
    if claim:
        assert not store.work.renew(claim)
        assert not store.work.finish(claim, WorkState.SUCCEEDED)
    assert not store.work.cancel("web-1", "r1")


def test_a_cancelled_run_that_is_asked_for_again_has_the_reason_that_it_had_before(store: Store) -> None:
    store.work.enqueue([replace(run("r1"), reason="schedule backup")])
    store.work.cancel("web-1", "r1", reason="by root@vm")
    store.work.retry("web-1", "r1")
    store.work.finish(claim_one(store, "n1"), WorkState.SUCCEEDED)

    (again,) = store.work.list("web-1")
    assert (again.state, again.reason) == (WorkState.SUCCEEDED, "schedule backup")


def test_runs_are_found_by_how_their_ids_begin_or_end(store: Store) -> None:
    store.work.enqueue([run("01KAAA"), run("01KABB"), run("01KABB", "web-2"), mark("01K"), run("01KABC", "web-2")])
    assert store.work.runs_like("01ka") == ["01KAAA", "01KABB", "01KABC"]
    assert store.work.runs_like("bb") == ["01KABB"]
    assert store.work.runs_like("01K", "web-1") == ["01KAAA", "01KABB"]
    assert store.work.runs_like("AB") == []


def test_a_run_that_is_cancelled_under_way_keeps_its_place_until_its_holder_has_ended_it(store: Store) -> None:
    store.work.enqueue([run("r1"), run("r2")])
    claim = claim_one(store, "n1")
    store.work.start(claim)
    assert store.work.cancel("web-1", "r1")
    assert not store.work.renew(claim)
    assert store.work.claim("web-1", holder="ops-2", nonce="n2", kind=RUN) == []
    assert not store.work.finish(claim, WorkState.FAILED)
    assert [each.work.id for each in store.work.claim("web-1", holder="ops-2", nonce="n3", kind=RUN)] == ["r2"]
    assert state_of(store, "r1") is WorkState.CANCELLED


def test_a_cancelled_run_whose_holder_died_is_handed_out_to_be_ended(store: Store, inside: Inside) -> None:
    store.work.enqueue([run("r1")])
    store.work.start(claim_one(store, "n1"))
    store.work.cancel("web-1", "r1")
    inside.lease_runs_out("web-1", "r1")
    claim = claim_one(store, "n2")
    assert (claim.work.state, store.work.start(claim)) == (WorkState.CANCELLED, False)
    assert not store.work.finish(claim, WorkState.FAILED)
    assert state_of(store, "r1") is WorkState.CANCELLED
    assert store.work.claim("web-1", holder="ops-2", nonce="n3") == []


def test_who_lets_go_of_a_cancelled_run_leaves_it_to_the_next_one_to_end(store: Store) -> None:
    store.work.enqueue([run("r1")])
    store.work.start(first := claim_one(store, "n1"))
    store.work.cancel("web-1", "r1")
    store.work.finish(first, WorkState.RETRYING, retry_at=FAR_AWAY)
    assert claim_one(store, "n2").work.state is WorkState.CANCELLED


def test_a_superseded_run_says_so(store: Store) -> None:
    store.work.enqueue([run("r1")])
    assert store.work.supersede("web-1", "r1", reason="r2 came")
    assert state_of(store, "r1") is WorkState.SUPERSEDED


def test_finishing_twice_is_one_finish(store: Store) -> None:
    store.work.enqueue([run("r1")])
    claim = claim_one(store, "n1")
    assert store.work.finish(claim, WorkState.SUCCEEDED, {"exit_code": 0})
    assert store.work.finish(claim, WorkState.FAILED, {"exit_code": 1})
    record = store.work.get("web-1", "r1")
    assert record
    assert (record.state, record.result) == (WorkState.SUCCEEDED, {"exit_code": 0})


def test_batches_claim_and_finish_over_many_hosts(store: Store) -> None:
    hosts = [f"web-{number}" for number in range(50)]
    assert store.work.enqueue([run("r1", host) for host in hosts]) == 50
    claims = store.work.claim_many(hosts, holder="ops-1", nonce="n1")
    assert [claim.work.host for claim in claims] == hosts
    assert all(store.work.finish_many([Finish(claim, WorkState.SUCCEEDED) for claim in claims]))


def test_each_piece_of_a_batch_ends_for_itself(store: Store) -> None:
    names = [f"r{number:03}" for number in range(150)]
    store.work.enqueue([run(name, host) for name in names for host in ("web-1", "web-2")])
    claims = store.work.claim_many(["web-1", "web-2"], holder="ops-1", nonce="n1", limit=150)
    store.work.cancel("web-1", "r120")
    finishes = [Finish(claim, WorkState.SUCCEEDED, {"at": at}) for at, claim in enumerate(claims)]
    mixed = finishes[::2] + finishes[1::2]
    good = store.work.finish_many(mixed)
    stale = [(each.claim.work.host, each.claim.work.id) for each, well in zip(mixed, good, strict=True) if not well]
    assert stale == [("web-1", "r120")]
    last = store.work.get("web-2", "r149")
    assert last
    assert (last.state, last.result) == (WorkState.SUCCEEDED, {"at": 299})


def test_new_work_wakes_its_pool_with_the_most_urgent_host_first(store: Store) -> None:
    store.work.enqueue([run("r1", "web-1"), run("r2", "web-2", priority=0)])
    store.work.enqueue([run("r3", "edge-1")], agents={"edge-1"})
    assert store.work.ready(wait_seconds=1) == ["web-2", "web-1"]
    assert store.work.ready() == []
    assert store.work.ready(agent="edge-1") == ["edge-1"]
    assert store.work.ready(wait_seconds=0.01) == []


def test_a_controller_of_the_past_enqueues_nothing(store: Store) -> None:
    store.work.enqueue([mark()], term=7)
    with pytest.raises(Refused, match="term 7, ours is 6"):
        store.work.enqueue([mark("other")], term=6)
    assert [work.id for work in store.work.list("web-1")] == ["converge:webapp"]


def test_the_list_of_one_host_is_in_order_of_time(store: Store) -> None:
    store.work.enqueue([run("b"), run("a", priority=0)])
    store.work.finish(claim_one(store, "n1"), WorkState.FAILED)
    works = store.work.list("web-1")
    assert {work.id: work.state for work in works} == {"a": WorkState.FAILED, "b": WorkState.QUEUED}
    assert [work.created_at for work in works] == sorted(work.created_at for work in works if work.created_at)


def test_many_hosts_are_woken_at_once_each_where_it_is_worked_on(store: Store) -> None:
    store.work.wake("web-1", "web-2", "edge-1", agents={"edge-1"})
    assert store.work.ready() == ["web-1", "web-2"]
    assert store.work.ready(agent="edge-1") == ["edge-1"]
