"""No key leaks: whatever the store writes either expires or stands in the list of permanent keys."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.alerting.routing import Group, GroupMemory
from reconciler.model.alerts import Acknowledgement, AlertState, Notification, Told, Transition
from reconciler.model.desired import Bundle, DesiredApp, SignedStatement
from reconciler.model.host_monitoring import HostMonitoring
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.model.scheduled import Progress, ScheduleState, Suspension
from reconciler.model.work import CONVERGE, RUN, Lane, Work, WorkState
from reconciler.store import (
    CONTROL,
    OWN,
    Answer,
    FleetState,
    HostSample,
    HostWrite,
    Look,
    ReconcileRequest,
    Store,
    Waiter,
    host_lease,
)
from reconciler.store.keys import PERMANENT
from reconciler.store.layout import LAYOUT
from reconciler.store.schedules import Recorded
from reconciler.trust import Signed
from tests.integration.store.conftest import Inside
from tests.unit.alerting.rules import firing, silence


def everything(store: Store, host: str) -> None:
    """One of each thing that the store can hold."""
    bundle = Bundle.of({"app": "webapp"})
    desired = DesiredApp(host, "webapp", bundle.sha, "{}", "d" * 64)
    store.desired.put_bundles([bundle])
    store.desired.write_app_config({"webapp": {"port": 80}})
    signed = SignedStatement(b"{}", b"s")
    store.desired.write(1, [HostWrite(host, signed, 1, {"webapp": desired}, {"webapp": {"port": 80}})])
    store.observed.write(host, {"webapp": (ObservedApp(1, "d", AppStatus.CONVERGED), Applied("b", "{}", {}))}, token=1)
    store.observed.write_facts(host, {"cores": 4})
    store.observed.write_ledger(host, generation=1)
    store.leases.acquire(CONTROL, "ops-1", 30)
    store.leases.acquire(host_lease(host), "ops-1", 30)
    store.work.enqueue([Work("done", host, RUN), Work("later", host, RUN), Work("cancelled", host, RUN)])
    store.work.cancel(host, "cancelled")
    done, later = store.work.claim(host, holder="ops-1", nonce="n1", limit=2)
    store.work.add_output(done, "it said this")
    store.work.finish(done, WorkState.SUCCEEDED)
    store.work.finish(later, WorkState.RETRYING, retry_at=datetime(2100, 1, 1, tzinfo=UTC))
    store.work.enqueue([Work("converge:webapp", host, CONVERGE), Work("r2", host, RUN)])
    store.work.claim(host, holder="ops-1", nonce="n2")
    store.work.enqueue([Work("r5", host, RUN)], agents={host})
    store.work.enqueue([Work("r3", host, RUN, lane=Lane.SIDE), Work("r4", host, RUN, lock="mine")])
    store.locks.join(Waiter("mine", host, "r4", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)))
    store.monitoring.write({host: HostMonitoring()})
    store.metrics.write([HostSample(host, {"cpu.percent": 1.0}, {"cpu.percent"}, age_seconds=age) for age in (600, 0)])
    store.metrics.hold_series([host])
    store.journal.append("applied", host=host)
    store.journal.append("taken")
    store.looks.ask([host], Look("01K", None))
    store.looks.answer(host, Look("01K", None), {})
    store.key_lists.publish([host], [(2, Signed(b"{}", bytes(64)))])
    state = ScheduleState("0 3 * * *", {"web-1": Progress(datetime(2026, 1, 1, tzinfo=UTC))})
    store.schedules.write({"nightly": Recorded(state)})
    store.schedules.suspend("nightly", Suspension("ann", datetime(2026, 1, 1, tzinfo=UTC)))
    store.fleet.set_current(FleetState("1a2b3c4"))
    store.fleet.request_reconcile(ReconcileRequest("01J", "ops-2"))
    store.fleet.answer("01J", Answer("done"))
    alerts_of(store, host)


def alerts_of(store: Store, host: str) -> None:
    """One of each thing that the monitor and people write of alerts."""
    alert = firing("CpuBusy", host)
    for slot in (host, OWN):
        store.alerts.write(slot, {alert.id: alert}, [Transition(alert, AlertState.PENDING, alert.since)])
    store.alerts.hold(host, "webapp", 60)
    store.alerts.acknowledge({alert.id: Acknowledgement("eva", alert.since)})
    store.alerts.silence(silence("host=web-1", end=alert.since))
    store.told.write({Group("mail", ()): GroupMemory(alert.since)})
    told = [Notification(name, "mail", Told.FIRING, (alert,), alert.since) for name in ("1", "2")]
    store.outbox.put(told)
    store.deliveries.spread({"2": ["mail:0"]}, alert.since)
    backlog = store.deliveries.backlogs(["mail:0"])["mail:0"]
    store.deliveries.take("mail:0", backlog, backlog.state, send=told[1:], merged=(), until=alert.since)


def test_every_key_expires_or_is_listed_as_permanent(store: Store, inside: Inside) -> None:
    everything(store, "web-1")
    lives = {key: inside.seconds_to_live(key) for key in inside.all_keys()}
    shapes = {inside.keys.shape(key) for key in lives}
    for_good = {inside.keys.shape(key) for key, seconds in lives.items() if seconds == -1}
    assert for_good == set(PERMANENT)
    assert shapes == {kind.shape for kind in LAYOUT}


def test_every_key_has_the_type_that_its_entry_names(store: Store, inside: Inside) -> None:
    everything(store, "web-1")
    types = {inside.keys.shape(key): inside.link.send("TYPE", key).decode() for key in inside.all_keys()}
    assert types == {kind.shape: kind.type for kind in LAYOUT}


def test_a_finished_record_expires_although_an_open_one_does_not(store: Store, inside: Inside) -> None:
    everything(store, "web-1")
    lives = {name: inside.seconds_to_live(f"rc:{{web-1}}:work:{name}") for name in ("done", "cancelled", "later", "r2")}
    assert {name: seconds > 0 for name, seconds in lives.items()} == {
        "done": True,
        "cancelled": True,
        "later": False,
        "r2": False,
    }


def test_no_value_of_a_secret_can_be_found_in_what_is_written(store: Store, inside: Inside) -> None:
    config = {"mysql_pass": {"secret": "webapp/mysql_pass"}}
    store.desired.write(1, [HostWrite("web-1", SignedStatement(b"{}", b"s"), 1, {}, {"webapp": config})])
    store.desired.write_app_config({"webapp": config})
    assert inside.link.send("HGET", "rc:app:{webapp}", "mysql_pass") == b"secret:webapp/mysql_pass"
