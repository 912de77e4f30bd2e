"""What each target lacks: each notification once, whoever takes the turn, whoever dies in it."""

from __future__ import annotations

from datetime import timedelta

from reconciler.alerting.pacing import digest
from reconciler.model.delivery import TargetState
from reconciler.store import Store
from tests.unit.alerting.notifications import NIGHT, many, notification

LATER = NIGHT + timedelta(minutes=2)
STATE = TargetState(19.5, NIGHT, LATER, 2, "HTTP 500")


def waiting(store: Store, target: str = "night:a") -> list[str]:
    found = store.deliveries.backlogs([target])
    return [it.id for it in found[target].waiting] if found else []


def test_a_notification_reaches_each_target_once_also_when_it_is_put_in_twice(store: Store) -> None:
    for _ in range(2):
        store.outbox.put([notification()])
        store.deliveries.spread({"n1": ["night:a", "night:b"]}, NIGHT)
    found = store.deliveries.backlogs(["night:a", "night:b", "night:c"])
    assert {target: [it.notification for it in found[target].waiting] for target in found} == {
        "night:a": [notification()],
        "night:b": [notification()],
    }
    assert store.outbox.waiting() == []


def test_what_was_sent_is_gone_from_its_target_alone_and_does_not_come_back(store: Store) -> None:
    store.outbox.put([notification()])
    store.deliveries.spread({"n1": ["night:a", "night:b"]}, NIGHT)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    taken = store.deliveries.take("night:a", backlog, STATE, send=[notification()], merged=(), until=LATER)
    assert taken
    assert store.deliveries.settle(taken, STATE, {"n1": None})
    store.outbox.put([notification()])
    store.deliveries.spread({"n1": ["night:a", "night:b"]}, NIGHT)
    assert (waiting(store), waiting(store, "night:b")) == ([], ["n1"])


def test_of_two_notifiers_one_takes_the_turn(store: Store) -> None:
    store.outbox.put([notification()])
    store.deliveries.spread({"n1": ["night:a"]}, NIGHT)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    assert store.deliveries.take("night:a", backlog, STATE, send=[notification()], merged=(), until=LATER)
    assert store.deliveries.take("night:a", backlog, STATE, send=[notification()], merged=(), until=LATER) is None


def test_what_a_notifier_that_died_was_sending_is_due_again_when_its_lease_ends(store: Store) -> None:
    store.outbox.put([notification()])
    store.deliveries.spread({"n1": ["night:a"]}, NIGHT)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    store.deliveries.take("night:a", backlog, STATE, send=[notification()], merged=(), until=LATER)
    after = store.deliveries.backlogs(["night:a"])["night:a"]
    assert [(it.id, it.due) for it in after.waiting] == [("n1", LATER)]
    assert (after.state, after.version) == (STATE, 1)


def test_who_comes_too_late_takes_out_what_it_sent_and_changes_nothing_else(store: Store) -> None:
    store.outbox.put(many(2))
    store.deliveries.spread({"n00000": ["night:a"], "n00001": ["night:a"]}, NIGHT)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    slow = store.deliveries.take("night:a", backlog, STATE, send=many(2), merged=(), until=LATER)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    store.deliveries.take(
        "night:a", backlog, TargetState(7.0, NIGHT), send=many(2), merged=(), until=LATER + timedelta(hours=1)
    )
    assert slow
    assert not store.deliveries.settle(slow, STATE, {"n00000": None, "n00001": NIGHT})
    after = store.deliveries.backlogs(["night:a"])["night:a"]
    assert [(it.id, it.due) for it in after.waiting] == [("n00001", LATER + timedelta(hours=1))]
    assert after.state.tokens == 7


def test_a_digest_takes_the_place_of_what_it_stands_for(store: Store) -> None:
    store.outbox.put(many(3))
    store.deliveries.spread({it.id: ["night:a"] for it in many(3)}, NIGHT)
    backlog = store.deliveries.backlogs(["night:a"])["night:a"]
    made = digest(many(3)[1:], NIGHT)
    assert store.deliveries.take(
        "night:a", backlog, STATE, send=[many(1)[0], made], merged=["n00001", "n00002"], until=LATER
    )
    assert sorted(waiting(store)) == sorted(["n00000", made.id])


def test_a_notification_without_a_target_leaves_the_outbox(store: Store) -> None:
    store.outbox.put([notification()])
    store.deliveries.spread({"n1": []}, NIGHT)
    assert store.outbox.waiting() == []
