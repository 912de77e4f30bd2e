"""Which firing alerts nobody is told of, and why: silences, maintenance, and alerts that inhibit others.

Called by the monitor before routing and by `alerts list`, which shows the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from reconciler.model.alerts import ActiveAlert, AlertId
from reconciler.model.manifests import Maintenance
from reconciler.model.monitoring import HOST_STALE, Silence
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Quiet:
    """What keeps people from being told.

    Args:
        inhibits: rule -> the rules that say nothing on the same host while it fires. HostStale inhibits all others.
    """

    silences: Sequence[Silence] = ()
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)
    inhibits: Mapping[str, Collection[str]] = field(default_factory=dict)


def selects(selector: Selector, alert: ActiveAlert) -> bool:
    """Whether a selector over alerts picks this one; `name` is its rule's name, `app` the app that it names."""
    app = alert.labels.get("app")
    return selector.matches(alert.id.rule, alert.labels, (app,) if app else ())


def muted(alerts: Iterable[ActiveAlert], quiet: Quiet, now: datetime) -> Mapping[AlertId, str]:
    """The firing alerts that nobody is told of -> why, for people."""
    firing = [alert for alert in alerts if alert.state.told]
    silences = [silence for silence in quiet.silences if silence.window.holds(now)]
    by_host = _by_host(firing, quiet)
    found: dict[AlertId, str] = {}
    for alert in firing:
        reason = _reason(alert, silences, quiet, by_host.get(alert.id.host, ()), now)
        if reason:
            found[alert.id] = reason
    return found


def _reason(alert: ActiveAlert, silences: Sequence[Silence], quiet: Quiet, others: Sequence[str], now: datetime) -> str:
    for silence in silences:
        if selects(silence.match, alert):
            return f"silenced by {silence.name}: {silence.reason}"
    maintenance = quiet.maintenance.get(alert.id.host)
    if maintenance and now < maintenance.until:
        return f"maintenance: {maintenance.reason}"
    for rule in others:
        if rule != alert.id.rule and (rule == HOST_STALE or alert.id.rule in quiet.inhibits[rule]):
            return f"inhibited by {rule}"
    return ""


def _by_host(firing: Iterable[ActiveAlert], quiet: Quiet) -> Mapping[str, Sequence[str]]:
    """Host -> the rules that fire there and inhibit others, in name order."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for alert in firing:
        if alert.id.rule == HOST_STALE or quiet.inhibits.get(alert.id.rule):
            found[alert.id.host].add(alert.id.rule)
    return {host: sorted(rules) for host, rules in found.items()}
