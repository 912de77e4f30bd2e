"""Measuring, as the ops server sees it: it samples its own machine and hosts over SSH, and tells agents what to do.

Shown each situation by the watch while that is in control; an ops server that stands by measures nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Protocol

from reconciler.clock import Clock
from reconciler.loops.controlling.planning import Situation
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.measuring.collector import Collector, Nothing
from reconciler.loops.measuring.watched_fleet import WatchedFleet
from reconciler.model.desired import Bundle
from reconciler.model.host_monitoring import HostMonitoring
from reconciler.rendering import Renderer
from reconciler.store import FULL_SHARE, Store

MEMORY_SECONDS = 60.0
"""How often the memory of Redis is looked at; a host's series are held for twice as long."""


class Measured(Protocol):
    """What the watch knows of measuring."""

    @property
    def memory_share(self) -> float: ...
    def show(self, situation: Situation) -> None: ...
    def rest(self) -> None: ...
    def run(self, stop: threading.Event) -> None: ...


class FleetMeasuring:
    """See the module.

    Args:
        hosts: those that are sampled from here, as they are now.
        agents: those whose agent samples them.
        renderer: the renderer of a bundle.
    """

    def __init__(
        self,
        collector: Collector,
        store: Store,
        *,
        hosts: Callable[[], Collection[str]],
        agents: Callable[[], Collection[str]],
        renderer: Callable[[Bundle], Renderer],
        clock: Clock,
        log: Log,
    ) -> None:
        self._collector = collector
        self._store = store
        self._hosts = hosts
        self._agents = agents
        self._renderer = renderer
        self._clock = clock
        self._log = log
        self._said = SaidOnce()
        self._shown: WatchedFleet | None = None
        self._told: dict[str, HostMonitoring] = {}
        self._memory_seen_at = float("-inf")
        self.memory_share = 0.0
        """How much of its memory Redis has used; from 0 to 1."""

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set."""
        self._collector.run(stop)

    def show(self, situation: Situation) -> None:
        """From now on, measure as this situation says.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        before = self._shown
        fleet = self._shown = WatchedFleet(situation, self._hosts(), self._renderer, before)
        self._collector.show(fleet)
        if before is None or before.situation.manifests is not situation.manifests:
            self._tell_agents(fleet)
        self._look_at_memory(situation.manifests.hosts)

    def rest(self) -> None:
        """Someone else is in control: measure nothing."""
        if self._shown is not None:
            self._shown, self._told = None, {}
            self._collector.show(Nothing())

    def _tell_agents(self, fleet: WatchedFleet) -> None:
        told = {host: fleet.told(host) for host in self._agents()}
        news = {host: monitoring for host, monitoring in told.items() if self._told.get(host) != monitoring}
        if news:
            self._store.monitoring.write(news)
            self._store.work.wake(*news, agents=news)
        self._told = told

    def _look_at_memory(self, hosts: Collection[str]) -> None:
        now = self._clock.monotonic()
        if now - self._memory_seen_at < MEMORY_SECONDS:
            return
        self._memory_seen_at = now
        share = self.memory_share = self._store.metrics.memory_share()
        if share < FULL_SHARE:
            self._said.over("memory")
            return
        self._store.metrics.hold_series(hosts)
        hint = "raise maxmemory, or keep fewer series: retention in the Fleet"
        self._said.say("memory", self._log.error, "redis-memory-short", reason="no series are written", hint=hint)
