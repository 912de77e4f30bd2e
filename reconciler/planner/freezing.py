"""Why changes wait for a Freeze to end. Asked by `held`; putting right what drifted is no change, and goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.model.manifests import Manifests
from reconciler.model.schedules import Freeze
from reconciler.planner.due import Due

_CHANGES = frozenset({None, Due.NEVER_APPLIED, Due.CHANGED, Due.SECRETS_CHANGED, Due.LEAVING})
"""Why an app is due that a freeze holds; None: it leaves the host."""


def frozen(manifests: Manifests, host: str, app: str, due: Due | None, now: datetime) -> str:
    """Why a change of an app on a host waits; empty where no freeze holds it."""
    if due not in _CHANGES:
        return ""
    holding = [freeze for freeze in manifests.freezes.values() if _holds(manifests, freeze, host, app, now)]
    return "; ".join(f"{_named(freeze)}: {freeze.reason}" for freeze in holding)


def _holds(manifests: Manifests, freeze: Freeze, host: str, app: str, now: datetime) -> bool:
    if (freeze.apps is not None and app not in freeze.apps) or not freeze.window.holds(now):
        return False
    known = manifests.hosts.get(host)
    return known is not None and freeze.hosts.matches(host, known.labels, _placed(manifests, freeze, host))


def _placed(manifests: Manifests, freeze: Freeze, host: str) -> frozenset[str]:
    """Those apps on the host of which the selector speaks."""
    named = (manifests.apps[name] for name in freeze.hosts.apps if name in manifests.apps)
    return frozenset(app.name for app in named if host in manifests.select(app.hosts))


def _named(freeze: Freeze) -> str:
    end = freeze.window.end
    return f"freeze {freeze.name}" + (f" until {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if end else "")
