from __future__ import annotations

from datetime import UTC, datetime

from reconciler.store import Answer, FleetState, ReconcileRequest, Store
from reconciler.store.journal import EVENTS_KEPT
from tests.integration.store.conftest import Inside


def test_the_followers_state_is_replaced_as_a_whole(store: Store) -> None:
    assert store.fleet.current() is None
    store.fleet.set_current(
        FleetState("1a2b3c4", "main", "ops-1", "converging", "3 of 12", datetime(2026, 1, 2, tzinfo=UTC))
    )
    state = FleetState("5d6e7f8", at=datetime(2026, 1, 2, 3, 4, 5, 600000, UTC))
    store.fleet.set_current(state)
    assert store.fleet.current() == state


def test_a_request_reaches_the_watcher_and_its_answers_come_back_in_order(store: Store) -> None:
    assert store.fleet.wait_request(0.01) is None
    request = ReconcileRequest("01J", "ops-2", "1a2b3c4", "reconcile apply")
    store.fleet.request_reconcile(request)
    assert store.fleet.wait_request() == request
    answers = [Answer("web-1 ok"), Answer("done", final=True, exit_code=3)]
    for answer in answers:
        store.fleet.answer("01J", answer)
    assert [store.fleet.wait_answer("01J"), store.fleet.wait_answer("01J")] == answers
    assert store.fleet.wait_answer("01J", 0.01) is None


def test_a_plan_is_kept_for_a_week(store: Store, inside: Inside) -> None:
    store.fleet.save_plan("abc", '{"apps": []}')
    assert store.fleet.plan("abc") == '{"apps": []}'
    assert store.fleet.plan("other") is None
    assert 6 * 86_400 < inside.seconds_to_live("rc:{_}:plan:abc") <= 7 * 86_400


def test_history_is_told_from_the_latest_and_by_host_and_app(store: Store) -> None:
    store.journal.append("applied", host="web-1", app="webapp", changed=3)
    store.journal.append("applied", host="web-2", app="webapp")
    store.journal.append("control-taken", holder="ops-1")
    assert [event.kind for event in store.journal.recent()] == ["control-taken", "applied", "applied"]
    assert [event.host for event in store.journal.recent(app="webapp")] == ["web-2", "web-1"]
    (event,) = store.journal.recent(host="web-1")
    assert (event.app, event.details) == ("webapp", {"changed": 3})
    assert len(store.journal.recent(limit=1)) == 1


def test_history_finds_old_events_of_a_quiet_host_and_is_bounded(store: Store, inside: Inside) -> None:
    store.journal.append("applied", host="quiet")
    for number in range(600):
        store.journal.append("applied", host=f"web-{number}")
    assert len(store.journal.recent(host="quiet")) == 1
    flood = [("XADD", "rc:{_}:events", "MAXLEN", "~", EVENTS_KEPT, "*", "kind", "x")] * (EVENTS_KEPT + 2000)
    inside.link.send_all(flood)
    assert EVENTS_KEPT <= inside.link.send("XLEN", "rc:{_}:events") < EVENTS_KEPT + 1000
