"""Builds what a watch measures hosts with. Called by `session`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from reconciler.clock import Clock
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.hosts.reach import Reach
from reconciler.loops.log import Log
from reconciler.loops.measuring.collector import Collector
from reconciler.loops.measuring.fleet_measuring import FleetMeasuring
from reconciler.loops.measuring.judging import Judging
from reconciler.loops.measuring.sample_writer import SampleWriter
from reconciler.model.desired import Bundle
from reconciler.rendering import Renderer
from reconciler.resources.measuring.readings import Readings
from reconciler.store import Store


def fleet_measuring(
    store: Store, reach: Reach, renderer: Callable[[Bundle], Renderer], *, clock: Clock, log: Log, closing: ExitStack
) -> FleetMeasuring:
    """Samples with threads of its own, so that a slow host keeps no executor from its work."""
    crew = Crew(reach.remote)
    closing.callback(crew.close)
    collector = Collector(
        sample=reach.sample,
        writer=SampleWriter(store, clock),
        crew=crew,
        clock=clock,
        log=log,
        judge=Judging(store, clock),
    )
    return FleetMeasuring(
        collector,
        store,
        hosts=lambda: reach.hosts,
        agents=lambda: reach.agents,
        renderer=renderer,
        clock=clock,
        log=log,
    )


def readings(at: float) -> Readings:
    """The counters of this machine."""
    from reconciler.probes.readings import read  # noqa: PLC0415 - imports psutil

    return read(at)
