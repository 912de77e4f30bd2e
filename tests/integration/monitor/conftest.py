"""A monitor on a real server, with a clock that the test moves, and hosts whose samples and alerts it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.loops.monitoring.monitor import Monitor
from reconciler.model.alerts import ActiveAlert, Notification
from reconciler.model.manifests import Fleet, Manifests
from reconciler.store import Store
from reconciler.store.opening import OpenServer
from tests.fakes.clock import FakeClock
from tests.fakes.fleet import host
from tests.unit.alerting.rules import channel, meta


class Silent:
    """A log that nobody reads."""

    def info(self, event: str, **values: Any) -> None: ...

    def warning(self, event: str, **values: Any) -> None: ...

    def error(self, event: str, **values: Any) -> None: ...


@dataclass
class Watched:
    """A fleet, what its hosts write, and the monitors that look at it."""

    store: Store
    opened: OpenServer
    manifests: Manifests
    metrics: dict[str, Mapping[str, float]] = field(default_factory=dict)

    def monitor(self, term: int) -> tuple[Monitor, FakeClock]:
        clock = FakeClock()
        monitor = Monitor(
            self.store, lambda hosts: {name: self.metrics.get(name, {}) for name in hosts}, clock, Silent()
        )
        monitor.lead(self.manifests, term)
        return monitor, clock

    def sampled(self, *hosts: str, seconds_ago: float = 0) -> None:
        """The last samples of these hosts came so long ago."""
        now = int(self.opened.link.send("TIME")[0])
        for name in hosts:
            self.opened.link.send("HSET", f"rc:{{{name}}}:metrics", "sampled_at", f"{now - seconds_ago:.6f}")

    def write(self, host: str, *alerts: ActiveAlert) -> None:
        self.store.alerts.write(host, {alert.id: alert for alert in alerts})

    def outbox(self) -> list[str]:
        """What waits to be sent: `mail firing 3`."""
        return [said(it) for it in self.store.outbox.waiting()]


def said(notification: Notification) -> str:
    return f"{notification.channel} {notification.told.value} {len(notification.alerts)}"


@pytest.fixture
def watched(store: Store, opened: OpenServer) -> Watched:
    hosts = {name: host(name, {"role": "web"}) for name in (f"web-{number}" for number in range(100))}
    mail = channel(group_wait_seconds=0, group_interval_seconds=0)
    return Watched(store, opened, Manifests(Fleet(meta("fleet")), hosts, {}, {}, channels={"mail": mail}))
