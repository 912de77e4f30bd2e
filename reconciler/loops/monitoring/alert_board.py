"""Alerts as people look at them: each with why nobody is told of it, who looks after it, and whether its host is heard.

Called by `alerts list` and `alerts ack`; reads what hosts and the monitor wrote, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.alerting.life import stale_after
from reconciler.alerting.muting import muted
from reconciler.alerting.routing import acknowledged
from reconciler.loops.monitoring.monitor import quiet
from reconciler.model.alerts import Acknowledgement, ActiveAlert
from reconciler.model.manifests import Manifests
from reconciler.resources.values import dataclass, replace
from reconciler.store import OWN, Store


@dataclass(frozen=True, slots=True)
class Sight:
    """One alert."""

    alert: ActiveAlert
    muted: str = ""
    """Why nobody is told of it; empty: people are."""
    acknowledged: Acknowledgement | None = None


def board(store: Store, manifests: Manifests) -> Sequence[Sight]:
    """All alerts of the fleet's hosts and of the monitor, resolved ones of the last minutes too."""
    hosts = sorted(manifests.hosts)
    sweep = store.alerts.sweep(hosts)
    limit = stale_after(manifests.fleet.sample_interval_seconds)
    silent = {host for host, age in sweep.ages.items() if age is not None and age > limit}
    alerts = [
        replace(alert, stale=alert.stale or name.host in silent) if alert.state.told else alert
        for name, alert in store.alerts.read([*hosts, OWN]).items()
    ]
    mute = muted(alerts, quiet(manifests, store.alerts.silences()), sweep.now)
    acks = store.alerts.acknowledgements()
    return [
        Sight(alert, mute.get(alert.id, ""), acks.get(alert.id) if acknowledged(alert, acks) else None)
        for alert in sorted(alerts, key=lambda alert: str(alert.id))
    ]
