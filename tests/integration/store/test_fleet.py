from __future__ import annotations

from datetime import UTC, datetime

from reconciler.model.desired import SignedStatement
from reconciler.store import Answer, FleetState, HostWrite, ReconcileRequest, Store
from reconciler.store.journal import FLEET_EVENTS_KEPT, HOST_EVENTS_KEPT
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


def known(store: Store, *hosts: str) -> None:
    """A controller has written of these hosts."""
    store.desired.write(1, [HostWrite(host, SignedStatement(b"{}", b"s"), 1, {}) for host in hosts])


def test_history_is_told_from_the_latest_and_by_host_and_app(store: Store, inside: Inside) -> None:
    known(store, "web-1", "web-2")
    happened = (("web-1", "applied", '{"changed":3}'), ("web-2", "applied", "{}"), ("_", "taken", "{}"))
    for moment, (slot, kind, details) in enumerate(happened, start=1):
        app = "" if slot == "_" else "webapp"
        words = ("kind", kind, "app", app, "details", details)
        inside.link.send("XADD", f"rc:{{{slot}}}:events", f"{moment}-1", *words)
    assert [event.kind for event in store.journal.recent()] == ["taken", "applied", "applied"]
    assert [event.host for event in store.journal.recent(app="webapp")] == ["web-2", "web-1"]
    (event,) = store.journal.recent(host="web-1")
    assert (event.app, event.details) == ("webapp", {"changed": 3})
    assert len(store.journal.recent(limit=1)) == 1


def test_a_hosts_events_say_nothing_of_other_hosts_whatever_it_wrote(store: Store, inside: Inside) -> None:
    known(store, "web-1")
    inside.link.send("XADD", "rc:{web-1}:events", "*", "kind", "k", "host", "web-2", "app", "", "details", "{}")
    assert [event.host for event in store.journal.recent()] == ["web-1"]


def test_all_of_a_long_history_is_told_where_it_is_asked_for(store: Store) -> None:
    known(store, "web-1", "web-2")
    for number in range(150):
        store.journal.append("applied", host=f"web-{1 + number % 2}", number=number)
    told = [event.details["number"] for event in store.journal.recent(limit=1000)]
    assert sorted(told) == list(range(150))
    assert len(store.journal.recent(limit=120)) == 120


def test_history_is_bounded_for_each_host_and_for_the_fleet(store: Store, inside: Inside) -> None:
    for key, kept in (("rc:{_}:events", FLEET_EVENTS_KEPT), ("rc:{web-1}:events", HOST_EVENTS_KEPT)):
        host = "web-1" if "web" in key else ""
        inside.link.send_all([("XADD", key, "*", "kind", "x")] * (kept + 2000))
        store.journal.append("applied", host=host)
        assert kept <= inside.link.send("XLEN", key) < kept + 1000
