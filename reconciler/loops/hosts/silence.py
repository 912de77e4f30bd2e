"""Which agents are not there: asked by whoever would wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from reconciler.clock import Clock
from reconciler.store import Store

SILENT_SECONDS = 30.0
"""An agent says every 10 s that it is there."""


def silent_agents(store: Store, clock: Clock, hosts: Iterable[str]) -> Mapping[str, str]:
    """Host -> since when nothing was heard of its agent, for those that are silent.

    Raises:
        Unavailable: Redis cannot be reached.
    """
    ages = store.observed.ages(hosts)
    return {host: _since(host, age, clock) for host, age in sorted(ages.items()) if age is None or age > SILENT_SECONDS}


def _since(host: str, age: float | None, clock: Clock) -> str:
    if age is None:
        return f"its agent was never heard from. Install it: reconcile hosts enroll {host}"
    return f"not heard from since {clock.now() - timedelta(seconds=age):%Y-%m-%d %H:%M:%SZ}"
