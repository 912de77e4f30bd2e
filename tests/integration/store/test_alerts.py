"""What hosts, people and the monitor write of alerts is what the others read."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from reconciler.alerting.routing import Group, GroupMemory
from reconciler.errors import Refused
from reconciler.model.alerts import Acknowledgement, AlertId, AlertState, Notification, Told, Transition
from reconciler.store import OWN, Store
from reconciler.store.alert_forms import alert_form
from tests.integration.store.conftest import Inside
from tests.unit.alerting.rules import START, firing, silence

BUSY, FULL = firing("CpuBusy"), firing("DiskFull")
STALE = firing("HostStale", "web-2")
MAIL = Group("mail", (("alert", "CpuBusy"), ("zone", "")))
MEMORY = GroupMemory(START, START + timedelta(seconds=30), {BUSY.id: BUSY, STALE.id: STALE})


def test_the_alerts_of_a_host_are_those_of_the_last_write(store: Store) -> None:
    store.alerts.write("web-1", {BUSY.id: BUSY, FULL.id: FULL})
    store.alerts.write("web-1", {BUSY.id: BUSY})
    store.alerts.write(OWN, {STALE.id: STALE})
    assert store.alerts.read(["web-1", "web-2", OWN]) == {BUSY.id: BUSY, STALE.id: STALE}
    store.alerts.write("web-1", {})
    assert store.alerts.read(["web-1"]) == {}


def test_a_host_can_speak_of_itself_only(store: Store, inside: Inside) -> None:
    store.alerts.write("web-1", {BUSY.id: BUSY})
    (name, form) = inside.link.send("HGETALL", "rc:{web-1}:alerts")
    inside.link.send("HSET", "rc:{web-1}:alerts", b"CpuBusy@web-2", form)
    assert name == b"CpuBusy"
    assert {alert_id.host for alert_id in store.alerts.read(["web-1"])} == {"web-1"}


def test_what_is_no_alert_counts_as_none(store: Store, inside: Inside) -> None:
    store.alerts.write("web-1", {BUSY.id: BUSY})
    for odd in (b"{}", b"[]", b'{"state": "gone"}', b'{"state":"firing","severity":"info","since":"x"}', b"\xff"):
        inside.link.send("HSET", "rc:{web-1}:alerts", b"Odd" + str(len(odd)).encode(), odd)
    assert store.alerts.read(["web-1"]) == {BUSY.id: BUSY}
    assert store.untold()


def told(inside: Inside, name: str, **texts: object) -> None:
    """A host writes an alert with texts of its own."""
    form = json.dumps({**alert_form(BUSY), **texts}, ensure_ascii=True)
    inside.link.send("HSET", "rc:{web-1}:alerts", name, form)


@pytest.mark.parametrize(
    "texts", [{"summary": "half \ud800"}, {"labels": {"zone": "\udfff"}}, {"labels": {"\udfff": "a"}}]
)
def test_half_a_character_counts_as_no_alert_and_reaches_nobody(
    store: Store, inside: Inside, texts: dict[str, object]
) -> None:
    store.alerts.write("web-1", {FULL.id: FULL})
    told(inside, "CpuBusy", **texts)
    assert store.alerts.read(["web-1"]) == {FULL.id: FULL}


def test_no_text_of_a_host_begins_a_line_of_a_message(store: Store, inside: Inside) -> None:
    told(inside, "CpuBusy:a\r\nBcc: eve@example.com")
    told(
        inside, "CpuBusy", summary="busy\n\nAcknowledge: \x1b[31mcurl", runbook_url="a\nb", labels={"zone": "a\u2028b"}
    )
    (alert,) = store.alerts.read(["web-1"]).values()
    assert alert.summary == "busy Acknowledge: \\x1b[31mcurl"
    assert (alert.runbook_url, alert.labels) == ("a b", {"zone": "a b"})


def test_transitions_are_kept_and_the_newest_come_first(store: Store) -> None:
    pending = Transition(BUSY, AlertState.PENDING, START)
    store.alerts.write("web-1", {BUSY.id: BUSY}, [Transition(BUSY, AlertState.INACTIVE, START), pending])
    assert store.alerts.transitions("web-1", 1) == [pending]


def test_a_sweep_tells_the_age_of_samples_by_the_servers_clock_and_what_was_written(
    store: Store, inside: Inside
) -> None:
    now = int(inside.link.send("TIME")[0])
    inside.link.send("HSET", "rc:{web-1}:metrics", "sampled_at", f"{now - 40:.6f}")
    inside.link.send("HSET", "rc:{web-3}:metrics", "sampled_at", "yesterday")
    store.alerts.write("web-2", {})
    store.alerts.write("web-2", {})
    found = store.alerts.sweep(["web-1", "web-2", "web-3"])
    assert 40 <= (found.ages["web-1"] or 0) < 100
    assert (found.ages["web-2"], found.ages["web-3"]) == (None, None)
    assert found.versions == {"web-1": 0, "web-2": 2, "web-3": 0}


def test_an_app_that_is_applied_is_held_back_for_as_long_as_the_mark_says(store: Store, inside: Inside) -> None:
    store.alerts.hold("web-1", "webapp", 60)
    store.alerts.hold("web-1", "base", 60)
    store.alerts.hold("web-1", "base", 0)
    assert store.alerts.held("web-1") == {"webapp"}
    inside.link.send("ZADD", "rc:{web-1}:applying", 1, "webapp")
    assert store.alerts.held("web-1") == frozenset()


def test_acknowledgements_and_silences_of_people(store: Store) -> None:
    ack = Acknowledgement("eva", START, "on it", START)
    store.alerts.acknowledge({BUSY.id: ack, AlertId("Many"): ack, AlertId("Full", "web-1", "/var:x"): ack})
    assert store.alerts.acknowledgements()[AlertId("Full", "web-1", "/var:x")] == ack
    store.alerts.forget_acknowledgements([AlertId("Many"), AlertId("Full", "web-1", "/var:x")])
    assert store.alerts.acknowledgements() == {BUSY.id: ack}

    quiet = silence("host=web-1,alert in (A,B)", start=START, end=START + timedelta(hours=1))
    store.alerts.silence(quiet)
    (found,) = store.alerts.silences().values()
    assert (found.match, found.window, found.reason) == (quiet.match, quiet.window, quiet.reason)
    store.alerts.forget_silences([found.name])
    assert store.alerts.silences() == {}


def test_the_same_notification_enters_the_outbox_once_also_after_it_was_sent(store: Store) -> None:
    told = Notification("1", "mail", Told.FIRING, (BUSY, STALE), START, {"alert": "CpuBusy"})
    assert store.outbox.put([told]) == 1
    assert store.outbox.waiting() == [told]
    store.outbox.remove(["1"])
    assert store.outbox.put([told]) == 0
    assert store.outbox.waiting() == []


def test_the_monitor_of_a_controller_of_the_past_writes_nothing(store: Store) -> None:
    told = Notification("1", "mail", Told.FIRING, (BUSY,), START)
    store.told.write({MAIL: MEMORY}, term=2)
    with pytest.raises(Refused):
        store.outbox.put([told], term=1)
    with pytest.raises(Refused):
        store.told.write({MAIL: None}, term=1)
    with pytest.raises(Refused):
        store.alerts.write(OWN, {}, term=1)
    assert store.outbox.waiting() == []
    assert store.told.read() == {MAIL: MEMORY}


def test_a_forgotten_host_has_no_alerts(store: Store) -> None:
    store.alerts.write("web-1", {BUSY.id: BUSY}, [Transition(BUSY, AlertState.PENDING, START)])
    store.desired.forget("web-1", 0)
    assert store.alerts.read(["web-1"]) == {}
    assert store.alerts.transitions("web-1") == []


def test_what_was_told_is_kept_by_group_until_nothing_is_left_of_it(store: Store) -> None:
    other = Group("chat", ())
    store.told.write({MAIL: MEMORY, other: GroupMemory(START)})
    assert store.told.read() == {MAIL: MEMORY, other: GroupMemory(START)}
    store.told.write({MAIL: None})
    assert store.told.read() == {other: GroupMemory(START)}
