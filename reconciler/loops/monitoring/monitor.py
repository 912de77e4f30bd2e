"""The monitor: judges what only the whole shows, silent hosts and rules over the fleet, and decides whom to tell.

Runs beside the controller of a watch and only while that holds control. Everything that it knows stands in Redis, so
that the next one goes on where it was cut off; what it writes carries the term of control. Sending is the notifier's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from reconciler.alerting.evaluation import Seen
from reconciler.alerting.fleet_evaluation import FleetInput, evaluate_fleet
from reconciler.alerting.life import Truth, stale_after
from reconciler.alerting.muting import Quiet, muted
from reconciler.alerting.routing import Group, GroupMemory, RoutingInput, acknowledged, route
from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.log import Log, SaidOnce
from reconciler.model.alerts import Acknowledgement, ActiveAlert, AlertId, Notification
from reconciler.model.manifests import Manifests
from reconciler.model.monitoring import Alert, AlertScope, Silence
from reconciler.resources.values import dataclass
from reconciler.store import OWN, Store, Sweep

TICK_SECONDS = 5.0
STANDBY_SECONDS = 1.0
"""Until it is looked again whether control is ours."""
SAVE_SECONDS = 60.0
"""How often the progress of what is pending is written where nothing else is."""
SILENCE_KEPT = timedelta(days=1)
"""How long a silence that is over can still be listed."""

Metrics = Callable[[Sequence[str]], Mapping[str, Mapping[str, float]]]
"""Hosts -> the newest values of each, by series."""


@dataclass(frozen=True, slots=True)
class Leadership:
    """What holds while this process controls the fleet."""

    manifests: Manifests
    term: int


@dataclass(frozen=True, slots=True)
class Current:
    """How the fleet was when the monitor looked last."""

    now: datetime
    """By the clock of Redis."""
    alerts: Mapping[AlertId, ActiveAlert]
    fresh: frozenset[str]
    """Hosts whose samples come in."""


class Monitor:
    """See the module.

    Args:
        metrics: the newest values of hosts, for rules over the fleet.
    """

    def __init__(self, store: Store, metrics: Metrics, clock: Clock, log: Log) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._said = SaidOnce()
        self._leadership: Leadership | None = None
        self.current: Current | None = None
        """None: somebody else looks, or Redis is away."""
        self._term = 0
        self._connected_since: float | None = None
        self._versions: dict[str, int] = {}
        self._heard: dict[str, Mapping[AlertId, ActiveAlert]] = {}
        """Host -> its alerts; hosts without any are left out."""
        self._own: Mapping[AlertId, ActiveAlert] = {}
        self._saved = float("-inf")
        self._memory: Mapping[Group, GroupMemory] = {}
        self._noted: dict[str, Seen] = {}

    def note(self, trouble: str, value: float, *, wrong: bool) -> None:
        """Say how the watch itself is; `trouble` is the name of an alert that is built in."""
        self._noted[trouble] = Seen(Truth(wrong, not wrong), value)

    def lead(self, manifests: Manifests, term: int) -> None:
        """This process controls the fleet, which is to be as these manifests say."""
        self._leadership = Leadership(manifests, term)

    def stand_by(self) -> None:
        """Someone else controls the fleet."""
        self._leadership = None
        self.current = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what keeps it from working is told once and survived."""
        while not stop.wait(TICK_SECONDS if self._leadership else STANDBY_SECONDS):
            try:
                self.tick()
                self._said.over("monitor")
            except ReconcilerError as error:
                self._said.say("monitor", self._log.warning, "monitor", error=str(error))

    def tick(self) -> Sequence[Notification]:
        """Look at everything once; returns what is told because of it.

        Raises:
            Unavailable: Redis is away; how old samples are then proves nothing for a while.
            Refused: someone else controls the fleet by now.
        """
        leadership = self._leadership
        if leadership is None:
            return ()
        try:
            return self._turn(leadership)
        except ReconcilerError:
            self.current = None
            self._connected_since = None
            self._term = 0  # what was written by then is not known
            raise

    def _turn(self, leadership: Leadership) -> Sequence[Notification]:
        manifests = leadership.manifests
        sweep = self._store.alerts.sweep(sorted(manifests.hosts))
        if leadership.term != self._term:
            self._take_over(leadership.term)
        self._hear(sweep)
        self._judge(leadership, sweep)
        self.current = Current(sweep.now, self._alerts(), _fresh(manifests, sweep))
        return self._tell(leadership, sweep.now)

    def _take_over(self, term: int) -> None:
        """Others may have been at work meanwhile: keep them out, and begin with what stands in Redis."""
        self._store.told.write({}, term)
        self._own = self._store.alerts.read([OWN])
        self._memory = self._store.told.read()
        self._versions.clear()
        self._heard.clear()
        self._connected_since = self._clock.monotonic()
        self._term = term

    def _hear(self, sweep: Sweep) -> None:
        """Read the alerts of those hosts that wrote since."""
        changed = [host for host, version in sweep.versions.items() if version != self._versions.get(host, 0)]
        found: dict[str, dict[AlertId, ActiveAlert]] = {}
        for alert_id, alert in self._store.alerts.read(changed).items():
            found.setdefault(alert_id.host, {})[alert_id] = alert
        for host in changed:
            self._heard[host] = found.get(host, {})
        for host in [host for host, alerts in self._heard.items() if not alerts or host not in sweep.versions]:
            del self._heard[host]
        self._versions = dict(sweep.versions)

    def _judge(self, leadership: Leadership, sweep: Sweep) -> None:
        """The monitor's own alerts, written where something changed."""
        found = evaluate_fleet(self._seen_from_above(leadership.manifests, sweep))
        now = self._clock.monotonic()
        forgotten = self._own.keys() != found.active.keys()
        if found.transitions or forgotten or (found.active and now - self._saved >= SAVE_SECONDS):
            self._store.alerts.write(OWN, found.active, found.transitions, term=leadership.term)
            self._saved = now
        self._own = found.active

    def _seen_from_above(self, manifests: Manifests, sweep: Sweep) -> FleetInput:
        interval, since = manifests.fleet.sample_interval_seconds, self._connected_since
        fleet_rules = any(rule.scope is AlertScope.FLEET for rule in manifests.alerts.values())
        fresh = sorted(_fresh(manifests, sweep)) if fleet_rules else []
        return FleetInput(
            rules=tuple(manifests.alerts.values()),
            picks=partial(_picked, manifests),
            hosts={name: host.labels for name, host in manifests.hosts.items()},
            ages=sweep.ages,
            values=self._metrics(fresh) if fresh else {},
            alerts=self._heard,
            before=self._own,
            now=sweep.now,
            interval_seconds=interval,
            turn_seconds=TICK_SECONDS,
            sure=since is not None and self._clock.monotonic() - since >= stale_after(interval),
            watch=dict(self._noted),
        )

    def _alerts(self) -> Mapping[AlertId, ActiveAlert]:
        return {name: alert for found in (*self._heard.values(), self._own) for name, alert in found.items()}

    def _tell(self, leadership: Leadership, now: datetime) -> Sequence[Notification]:
        manifests, term = leadership.manifests, leadership.term
        alerts = self._alerts()
        acks, silences = self._store.alerts.acknowledgements(), self._store.alerts.silences()
        mute = muted(alerts.values(), quiet(manifests, silences), now)
        channels = tuple(manifests.channels.values())
        found = route(RoutingInput(alerts, channels, now, mute.keys(), acks, self._memory))
        self._store.outbox.put(found.notifications, term)
        changed = _changed(self._memory, found.memory)
        if changed:
            self._store.told.write(changed, term)
        self._memory = found.memory
        self._tidy(alerts, acks, silences, now)
        for notification in found.notifications:
            self._log.info("notification", **_told(notification))
        return found.notifications

    def _tidy(
        self,
        alerts: Mapping[AlertId, ActiveAlert],
        acks: Mapping[AlertId, Acknowledgement],
        silences: Mapping[str, Silence],
        now: datetime,
    ) -> None:
        """Acknowledgements end with their alerts, silences a day after their time."""
        live = {name for name, alert in alerts.items() if alert.state.told and acknowledged(alert, acks)}
        self._store.alerts.forget_acknowledgements(acks.keys() - live)
        over = [name for name, it in silences.items() if it.window.end and now - it.window.end > SILENCE_KEPT]
        self._store.alerts.forget_silences(over)


def quiet(manifests: Manifests, by_hand: Mapping[str, Silence]) -> Quiet:
    """What keeps people from being told: of the manifests, and set by hand."""
    return Quiet(
        silences=(*manifests.silences.values(), *by_hand.values()),
        maintenance={name: host.maintenance for name, host in manifests.hosts.items() if host.maintenance},
        inhibits={name: rule.inhibits for name, rule in manifests.alerts.items() if rule.inhibits},
    )


def _fresh(manifests: Manifests, sweep: Sweep) -> frozenset[str]:
    limit = stale_after(manifests.fleet.sample_interval_seconds)
    return frozenset(host for host, age in sweep.ages.items() if age is not None and age <= limit)


def _picked(manifests: Manifests, rule: Alert) -> Collection[str]:
    """The hosts that a rule over the fleet looks at."""
    selector = manifests.apps[rule.app].hosts if rule.app else rule.hosts
    return manifests.select(selector) if selector else ()


def _changed(
    before: Mapping[Group, GroupMemory], after: Mapping[Group, GroupMemory]
) -> Mapping[Group, GroupMemory | None]:
    new = {group: memory for group, memory in after.items() if before.get(group) != memory}
    return new | dict.fromkeys(before.keys() - after.keys())


def _told(notification: Notification) -> Mapping[str, object]:
    names = [str(alert.id) for alert in notification.alerts]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return {"channel": notification.channel, "told": notification.told.value, "alerts": shown}
