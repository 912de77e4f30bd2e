"""Schedulers that start runs in a real store, at moments that a test chooses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
import structlog

from reconciler.errors import NOWHERE, InvalidInput
from reconciler.loops.running.submitting import Order
from reconciler.loops.scheduling.scheduler import Scheduler
from reconciler.loops.scheduling.starting import Starting
from reconciler.model.manifests import Fleet, Host, Job, Maintenance, Manifests
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert
from reconciler.model.schedules import Schedule
from reconciler.model.work import RUN, Lane, Work, WorkState
from reconciler.planner.resolver import Locate
from reconciler.scheduling.conditions import Truth
from reconciler.store import Store
from tests.fakes.clock import FakeClock
from tests.unit.scheduling.moments import at

HOSTS = ("web-1", "web-2")


@dataclass
class Known:
    """What is known of metrics and alerts: expressions and names of alerts, by host."""

    truths: dict[tuple[str, str], Truth] = field(default_factory=dict)
    alerts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(rule, host) of those that fire, and since when."""

    def ask(self, expressions: Mapping[str, Collection[str]]) -> None:
        pass

    def episodes(self) -> Iterator[tuple[str, str, datetime]]:
        return ((rule, host, since) for (rule, host), since in self.alerts.items())

    def holds(self, expression: str, host: str) -> Truth:
        return self.truths.get((expression, host))

    def firing(self, alert: str, host: str) -> Truth:
        return self.truths.get((alert, host))


@dataclass
class Ops:
    """An ops server with a clock of its own; several may share the store."""

    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    known: Known = field(default_factory=Known)
    leads: bool = True
    broken: set[str] = field(default_factory=set)
    """Hosts for which runs cannot be composed."""
    orders: list[Order] = field(default_factory=list)
    scheduler: Scheduler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process."""
        self.scheduler = Scheduler(
            store=self.store,
            starting=Starting(self.submit, self.store, self.clock),
            conditions=lambda _: self.known,
            leads=lambda: self.leads,
            agents=tuple,
            clock=self.clock,
            log=structlog.get_logger(),
        )

    def submit(self, order: Order, manifests: Manifests, locate: Locate) -> Sequence[Work]:
        if self.broken.intersection(order.hosts):
            raise InvalidInput.of("undefined", "no such value")
        self.orders.append(order)
        works = [Work(order.id, host, RUN, {"job": order.job.metadata.name}, lane=Lane.SIDE) for host in order.hosts]
        self.store.work.enqueue(works)
        return works

    def show(self, *schedules: Schedule, alerts: Sequence[Alert] = (), hosts: Sequence[str] = HOSTS, **of: Any) -> None:
        """Follow a revision with these."""
        manifests = Manifests(
            Fleet(named("fleet")),
            {name: replace(Host(named(name), name), **of.get(name.replace("-", "_"), {})) for name in hosts},
            {},
            {},
            jobs={"backup": Job(named("backup"), ())},
            schedules={schedule.name: schedule for schedule in schedules},
            alerts={alert.name: alert for alert in alerts},
        )
        self.scheduler.show(manifests, lambda origin, path: NOWHERE)

    def look(self, when: str | datetime) -> None:
        """Work at a moment until nothing more is due."""
        self.clock.seconds = (at(when) if isinstance(when, str) else when).timestamp()
        while self.scheduler.tick():
            pass

    def runs(self, host: str = "web-1") -> list[str]:
        """The reasons of the runs of a host, which tell their nominal time, oldest first."""
        return [order.reason.partition(", ")[2] for order in self.orders if host in order.hosts]

    def finish(self) -> None:
        """End all runs well."""
        for host in HOSTS:
            nonce = str(len(self.orders))
            for claim in self.store.work.claim(host, holder="ops", nonce=nonce, limit=1_000, lane=Lane.SIDE):
                self.store.work.finish(claim, WorkState.SUCCEEDED)

    def told(self, name: str = "nightly") -> list[tuple[str, str]]:
        """What became of the last runs, newest first."""
        recent = self.store.schedules.read([name])[name].state.recent
        return [(decision.outcome.value, decision.reason) for decision in recent]


def named(name: str) -> Metadata:
    return Metadata(name, Origin("", 0))


def maintenance(until: str) -> dict[str, Any]:
    return {"maintenance": Maintenance(at(until), "disks")}


@pytest.fixture
def ops(store: Store) -> Ops:
    return Ops(store)
