"""What very many alerts at once cost: a turn of the monitor, and sending what it decided to a webhook on loopback.

Run by `make bench`, and by hand: `python -m tests.bench notifications`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.clock import SystemClock
from reconciler.loops.monitoring.monitor import Monitor
from reconciler.loops.monitoring.notifier import Notifier, targets_of
from reconciler.model.manifests import Fleet, Host, Manifests
from reconciler.model.monitoring import Channel
from reconciler.model.selector import EVERYTHING
from reconciler.notify.services import per_minute
from reconciler.notify.urls import Opener
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.bench.alerts import HOSTS, firing, meta
from tests.bench.server import server
from tests.fakes.clock import FakeClock
from tests.fakes.services import Service, http_service


class Silent:
    """A log of nothing."""

    def info(self, event: str, **values: Any) -> None:
        pass

    warning = error = info


def measure() -> dict[str, float]:
    """`turn` and `sending`: seconds; `sent`: messages that arrived; `told`: alerts in them."""
    alerts = {alert.id: alert for alert in map(firing, range(HOSTS))}
    hosts = {name.host: Host(meta(name.host), "127.0.0.1") for name in alerts}
    mail = Channel(meta("hook"), ("jsons://hooks.example.com/x",), EVERYTHING, group_by=("host",), group_wait_seconds=0)
    manifests = Manifests(Fleet(meta("bench")), hosts, {}, {}, channels={"hook": mail})
    with server() as url, Store(at_url(url, SystemClock())) as store, http_service() as service:
        for name, alert in alerts.items():
            store.alerts.write(name.host, {name: alert})
        monitor = Monitor(store, _nothing, SystemClock(), Silent())
        monitor.lead(manifests, term=1)
        began = time.perf_counter()
        told = sum(len(notification.alerts) for notification in monitor.tick())
        turn = time.perf_counter() - began
        sending = _sent(store, service, manifests)
        return {"turn": turn, "sending": sending, "sent": float(len(service.got)), "told": float(told)}


def _nothing(_hosts: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    return {}


def _sent(store: Store, service: Service, manifests: Manifests) -> float:
    """Seconds of work until nothing waits; between two turns a second passes that nobody waits for."""
    clock = FakeClock(SystemClock().now().timestamp())
    with tempfile.TemporaryDirectory() as directory:
        opener = Opener(Path(directory), clock, Silent(), service.carrier())
        notifier = Notifier(store, opener.open, per_minute=per_minute, resolve=lambda _: {}, clock=clock, log=Silent())
        spent = 0.0
        while not service.got or _waits(store, manifests):
            began = time.perf_counter()
            notifier.tick(manifests)
            spent += time.perf_counter() - began
            clock.seconds += 1
    return spent


def _waits(store: Store, manifests: Manifests) -> bool:
    targets = [target.id for channel in manifests.channels.values() for target in targets_of(channel)]
    return any(backlog.waiting for backlog in store.deliveries.backlogs(targets).values())
