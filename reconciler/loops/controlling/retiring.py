"""Who keeps a host that is retired from being pruned. Asked by the controller before it prunes one, and by `status`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.model.desired import Desired
from reconciler.model.observed import ObservedHost
from reconciler.planner.draining import Pair, behind, speakers
from reconciler.store import Store


def spoken_to(
    store: Store, hosts: Collection[str], desired: Desired, observed: Mapping[str, ObservedHost]
) -> Mapping[str, tuple[Pair, ...]]:
    """Each of these hosts -> the apps elsewhere that still speak to it, as Redis knows what was applied there."""
    late = behind(desired, observed) if hosts else {}
    applied = store.observed.applied(late) if late else {}
    return {host: speakers(host, late, applied) for host in hosts}
