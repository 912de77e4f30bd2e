"""Laws of alerts, whatever is sampled and whenever: when one fires, and who hears of its beginning and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.alerting.life import Patience, Stage, Truth, advance, counted
from reconciler.alerting.routing import Group, GroupMemory, RoutingInput, route
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState, Notification, Told
from reconciler.model.monitoring import Channel
from tests.unit.alerting.rules import START, Timeline, channel, firing, rule

GAP = 30.0
STEPS = st.lists(
    st.tuples(st.sampled_from([-3600.0, 1.0, 5.0, 20.0, 29.0, 31.0, 7200.0]), st.sampled_from([True, False, None])),
    max_size=40,
)


@given(STEPS, st.sampled_from([0.0, 10.0, 60.0]))
def test_it_fires_exactly_when_it_was_true_for_long_enough_without_what_nobody_saw(
    steps: list[tuple[float, bool | None]], wanted: float
) -> None:
    host = Timeline([rule(for_seconds=wanted, clear="cpu.percent < -1")])
    held: float | None = None
    seen, now = START, START
    for after, wrong in steps:
        now += timedelta(seconds=after)
        host.sample(after, **({} if wrong is None else {"cpu_percent": 95.0 if wrong else 5.0}))
        fired = any(alert.state is AlertState.FIRING for alert in host.active.values())
        if wrong is False:
            held = None if held is None or held < wanted else held
        elif wrong:
            held = 0.0 if held is None else held + (counted(seen, now, GAP) if held < wanted else 0.0)
            seen = now
        assert fired == (held is not None and held >= wanted)


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None])), max_size=30))
def test_only_what_a_sample_says_moves_an_alert(truths: list[tuple[bool | None, bool | None]]) -> None:
    stage = Stage()
    for wrong, over in truths:
        after = advance(stage, Truth(wrong, over), Patience(10, 10), 5.0)
        moved = after.state is not stage.state
        assert not moved or (over if stage.state.told else wrong) is not None
        assert not (moved and after.state is AlertState.RESOLVED) or stage.state.told
        stage = after


NAMES = [AlertId(rule_name, host) for rule_name in ("A", "B") for host in ("web-1", "web-2")]
TURNS = st.lists(st.tuples(st.sampled_from([5, 40, 400]), st.sets(st.sampled_from(NAMES))), max_size=25)


@settings(deadline=None)
@given(TURNS)
def test_whoever_was_told_of_a_beginning_is_told_of_its_end_once_and_nobody_else(
    turns: list[tuple[int, set[AlertId]]],
) -> None:
    channels = [channel(), channel("zones", "host=web-1", group_by=("host",)), channel("late", after_seconds=120)]
    sent = told_of(turns, channels)
    believed: set[tuple[str, AlertId]] = set()
    for notification in sent:
        for alert in notification.alerts:
            key = (notification.channel, alert.id)
            assert alert.state.told or key in believed, "an end without a beginning"
            believed = believed | {key} if alert.state.told else believed - {key}
    assert believed == set(), "somebody still believes that it fires"
    assert len({it.id for it in sent}) == len(sent)
    assert all(it.told is Told.FIRING or not any(alert.state.told for alert in it.alerts) for it in sent)


def told_of(turns: list[tuple[int, set[AlertId]]], channels: list[Channel]) -> list[Notification]:
    """What is sent while these alerts fire at each turn, and then for an hour in which all is well."""
    now = START
    memory: Mapping[Group, GroupMemory] = {}
    sent: list[Notification] = []
    alerts: dict[AlertId, ActiveAlert] = {}
    for after, names in [*turns, *[(300, set())] * 12]:
        now += timedelta(seconds=after)
        for name in NAMES:
            known = alerts.get(name)
            if name in names and (known is None or not known.state.told):
                alerts[name] = replace(firing(name.rule, name.host), since=now, started_at=now)
            elif name not in names and known is not None and known.state.told:
                alerts[name] = replace(known, state=AlertState.RESOLVED, since=now)
        found = route(RoutingInput(alerts, channels, now, memory=memory))
        memory = found.memory
        sent += found.notifications
    assert memory == {}
    return sent
