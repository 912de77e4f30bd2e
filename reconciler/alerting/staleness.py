"""HostStale, the alert that is built in: a host whose samples stopped coming.

Called by the monitor with the age of every host's last sample, by the clock of Redis. A host that never sent one is not
stale, it is not there yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.alerting.evaluation import Evaluation, Moment, Seen, Subject, ended, gathered, step
from reconciler.alerting.life import Truth, stale_after
from reconciler.model.alerts import ActiveAlert, AlertId
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import HOST_STALE, Alert, Severity

FOR_SECONDS = 60.0
LEFT = "the host left the fleet"

_RULE = Alert(
    Metadata(HOST_STALE, Origin("", 0)),
    expr="",
    summary="it sends no samples; its other alerts stand still",
    for_seconds=FOR_SECONDS,
    severity=Severity.CRITICAL,
)


def stale_hosts(
    hosts: Mapping[str, Mapping[str, str]],
    ages: Mapping[str, float | None],
    before: Mapping[AlertId, ActiveAlert],
    now: datetime,
    *,
    interval_seconds: float,
    sure: bool = True,
) -> Evaluation:
    """The HostStale alerts of a fleet.

    Args:
        hosts: all hosts and their labels.
        ages: seconds since the last sample; None: there never was one.
        before: the HostStale alerts after the last sweep.
        now: by the same clock.
        interval_seconds: between two samples of a host.
        sure: False while we ourselves were away a moment ago, so that old samples prove nothing.
    """
    limit = stale_after(interval_seconds)
    concerned = {name for name, age in ages.items() if age is not None and age > limit and name in hosts}
    known = {alert_id.host for alert_id in before}
    found = []
    for name in sorted(concerned | (known & hosts.keys())):
        age = ages.get(name)
        stale = None if age is None or not sure else age > limit
        alert_id = AlertId(HOST_STALE, name)
        alert = before.get(alert_id)
        if alert is None and not stale:
            continue
        seen = Seen(Truth(stale, None if stale is None else not stale), age)
        found.append(step(_RULE, alert_id, alert, seen, Moment(now, Subject(name, hosts[name]), limit)))
    gone = (ended(alert, LEFT, now) for alert_id, alert in before.items() if alert_id.host not in hosts)
    return gathered([*found, *gone])
