"""What a target gets, and when: nothing is lost, nothing floods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.alerting.pacing import LISTED, PER_TURN, after, digest, pace
from reconciler.model.alerts import AlertState, Notification, Told
from reconciler.model.delivery import Backlog, Delivery, Outcome, TargetState, Waiting
from tests.unit.alerting.notifications import NIGHT, alert, many, notification


def backlog(notifications: Sequence[Notification], state: TargetState | None = None) -> Backlog:
    return Backlog(tuple(Waiting(it, it.created_at) for it in notifications), state or TargetState())


def holding(tokens: float, now: datetime = NIGHT) -> TargetState:
    return TargetState(tokens, now)


def test_what_fits_is_sent_as_it_is_the_oldest_first() -> None:
    turn = pace(backlog(many(3, every_seconds=1)[::-1]), 20, NIGHT + timedelta(seconds=5))
    assert [it.id for it in turn.send] == ["n00000", "n00001", "n00002"]
    assert (turn.merged, turn.state.tokens) == ((), 2)


def test_what_can_leave_within_a_minute_waits_for_its_turn() -> None:
    turn = pace(backlog(many(21)), 20, NIGHT)
    assert ([it.told for it in turn.send], turn.merged) == ([Told.FIRING] * 5, ())


def test_what_exceeds_the_rate_becomes_one_counted_digest() -> None:
    turn = pace(backlog(many(100), holding(4)), 20, NIGHT)
    assert [it.told for it in turn.send] == [Told.FIRING] * 3 + [Told.DIGEST]
    assert turn.send[-1].count == 97 == len(turn.merged)
    assert turn.state.tokens == 0


def test_without_a_token_everything_waits() -> None:
    assert pace(backlog(many(2), holding(0.5)), 20, NIGHT).send == ()
    turn = pace(backlog(many(2), holding(0.5)), 20, NIGHT + timedelta(seconds=3))
    assert [it.id for it in turn.send] == ["n00000"]


def test_a_turn_is_short_also_where_many_messages_are_allowed() -> None:
    turn = pace(backlog(many(12)), 300, NIGHT)
    assert (len(turn.send), turn.merged) == (PER_TURN, ())


def test_messages_that_are_too_old_become_a_digest_and_new_ones_are_sent_beside_it() -> None:
    now = NIGHT + timedelta(hours=2)
    turn = pace(backlog([*many(3), notification("new", at=now)]), 20, now)
    assert [(it.told, it.count) for it in turn.send] == [(Told.FIRING, 0), (Told.DIGEST, 3)]
    assert turn.merged == ("n00000", "n00001", "n00002")


def test_a_digest_that_could_not_be_sent_takes_in_what_is_too_old_since() -> None:
    first = digest(many(3), NIGHT)
    now = NIGHT + timedelta(hours=3)
    turn = pace(backlog([first, notification("later", at=NIGHT + timedelta(hours=1))]), 20, now)
    assert [it.count for it in turn.send] == [4]
    assert turn.merged == (first.id, "later")
    alone = pace(backlog([first]), 20, now)
    assert (alone.send, alone.merged) == ((first,), ())


def test_a_digest_tells_the_latest_state_of_each_alert_the_worst_first() -> None:
    over = alert("DiskFull@web-1", AlertState.RESOLVED, since=NIGHT + timedelta(minutes=1))
    made = digest([notification("a", alert("DiskFull@web-1"), alert("Down@db-1")), notification("b", over)], NIGHT)
    assert [(str(it.id), it.state.value) for it in made.alerts] == [
        ("Down@db-1", "firing"),
        ("DiskFull@web-1", "resolved"),
    ]
    assert len(digest(many(LISTED + 1), NIGHT).alerts) == LISTED


def test_a_target_that_failed_is_left_alone_and_then_tried_with_one_message() -> None:
    state = after(holding(20), Delivery(Outcome.LATER, "HTTP 500"), NIGHT)
    assert pace(backlog(many(3), state), 20, NIGHT + timedelta(seconds=4)).send == ()
    assert len(pace(backlog(many(3), state), 20, NIGHT + timedelta(seconds=5)).send) == 1


def test_waits_grow_to_ten_minutes_and_end_with_success() -> None:
    state, waits = TargetState(), []
    for _ in range(12):
        state = after(state, Delivery(Outcome.LATER, "HTTP 500"), NIGHT)
        assert state.blocked_until
        waits.append((state.blocked_until - NIGHT).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 320, *[600] * 5]
    assert after(state, Delivery(Outcome.SENT), NIGHT) == TargetState()


def test_a_target_says_how_long_it_wants_to_be_left_alone_within_reason() -> None:
    for asked, waited in ((37.0, 37), (0.0, 1), (1e9, 3600)):
        state = after(TargetState(), Delivery(Outcome.LATER, "HTTP 429", asked), NIGHT)
        assert state.blocked_until == NIGHT + timedelta(seconds=waited)


def test_a_clock_that_is_set_back_holds_nothing_for_long() -> None:
    state = TargetState(0.0, NIGHT, blocked_until=NIGHT + timedelta(minutes=10))
    past = NIGHT - timedelta(hours=2)
    assert pace(backlog(many(1), state), 20, past).state.counted_at == past
    turn = pace(backlog(many(1), replace(state, counted_at=past)), 20, past + timedelta(seconds=4))
    assert len(turn.send) == 1


@settings(max_examples=40)
@given(
    count=st.integers(0, 60),
    per_minute=st.sampled_from([0.1, 1.0, 3.0, 20.0, 300.0]),
    gap=st.floats(0, 600),
    step=st.sampled_from([7, 60, 600]),
    outcomes=st.lists(st.sampled_from(list(Outcome)), max_size=60),
)
def test_every_message_arrives_by_itself_or_counted_and_never_above_the_rate(
    count: int, per_minute: float, gap: float, step: int, outcomes: list[Outcome]
) -> None:
    waiting = [Waiting(it, it.created_at) for it in many(count, every_seconds=gap / max(count, 1))]
    state, now, told, sent_at = TargetState(), NIGHT, 0, list[datetime]()
    for _ in range(20_000):  # longer than 60 tries with the longest pauses take
        turn = pace(Backlog(tuple(waiting), state), per_minute, now)
        state = turn.state
        waiting = [it for it in waiting if it.id not in turn.merged]
        waiting += [Waiting(it, now) for it in turn.send if turn.merged and it.told is Told.DIGEST]
        for it in turn.send:
            outcome = outcomes.pop(0) if outcomes else Outcome.SENT
            state = after(state, Delivery(outcome), now)
            if outcome is Outcome.SENT:
                told += max(it.count, 1)
                sent_at.append(now)
                waiting = [other for other in waiting if other.id != it.id]
            if outcome is Outcome.LATER:
                break
        now += timedelta(seconds=step)
        if not waiting:
            break
    assert told == count
    assert not waiting
    for at in sent_at:
        assert sum(at <= other < at + timedelta(minutes=1) for other in sent_at) <= max(1, per_minute)
