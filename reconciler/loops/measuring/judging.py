"""Rules judged where samples are taken: what is wrong on a host after each of its samples, told to the store.

Called by the collector: `judge` by its sampling thread, `publish` by its writing thread. What was so before this
process began is read from the store first; until then nothing is judged. While Redis is away states go on, and when it
is back it gets them as they are, not their history.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import datetime

from reconciler.alerting.evaluation import EvaluationInput, Subject, evaluate
from reconciler.clock import Clock
from reconciler.loops.measuring.ring import Ring, RingView
from reconciler.loops.measuring.watched_host import WatchedHost
from reconciler.model.alerts import ActiveAlert, AlertId, Transition
from reconciler.resources.values import dataclass, field
from reconciler.store import Store, Written

SAVE_SECONDS = 60.0
"""How often the progress of what is pending is written where nothing else changed."""


@dataclass(slots=True)
class _Judged:
    """What is known of the alerts of one host."""

    active: Mapping[AlertId, ActiveAlert] | None = None
    """None: not read from the store yet."""
    held: Collection[str] = ()
    """Apps whose alerts stand still."""
    untold: dict[AlertId, Transition] = field(default_factory=dict)
    """The last transition of each alert that changed since the last write."""
    changed: bool = False
    saved_at: float = float("-inf")


class Judging:
    """See the module."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Judged] = {}
        self.interval_seconds = 5.0
        """Between two samples."""

    def judge(self, host: WatchedHost, ring: Ring, at: float, now: datetime) -> None:
        """Evaluate the rules about a host after a sample.

        Args:
            host: with the rules about it.
            ring: its samples.
            at: monotonic time of the sample.
            now: the same by the clock of Redis.
        """
        judged = self._hosts.setdefault(host.name, _Judged())
        before = judged.active
        if before is None or not (host.rules or before):
            return
        facts = {**host.facts, "host": {"name": host.name, "labels": host.labels}}
        alerts = [alert for alert in before.values() if alert.state.told]
        found = evaluate(
            EvaluationInput(
                host.rules,
                Subject(host.name, host.labels, host.apps),
                lambda instance: RingView(ring, instance, at, facts, alerts),
                lambda each: ring.instances(each, at),
                before,
                now,
                judged.held,
                self.interval_seconds,
            )
        )
        with self._lock:
            judged.changed = judged.changed or bool(found.transitions) or found.active.keys() != before.keys()
            judged.active = found.active
            judged.untold.update({transition.alert.id: transition for transition in found.transitions})

    def publish(self, written: Mapping[str, Written]) -> None:
        """Tell the store what changed on the hosts whose samples were just written.

        Raises:
            Unavailable: Redis cannot be reached; it is told the next time.
        """
        known = {name: self._hosts.setdefault(name, _Judged()) for name in written}
        self._recall({name: judged for name, judged in known.items() if judged.active is None})
        now = self._clock.monotonic()
        for name, judged in known.items():
            judged.held = written[name].held
            if judged.changed or (judged.active and now - judged.saved_at >= SAVE_SECONDS):
                self._save(name, judged, now)

    def forget(self, hosts: Collection[str]) -> None:
        """Only these are judged from now on."""
        for gone in self._hosts.keys() - set(hosts):
            del self._hosts[gone]

    def _recall(self, hosts: Mapping[str, _Judged]) -> None:
        found = self._store.alerts.read(hosts) if hosts else {}
        for name, judged in hosts.items():
            judged.active = {alert_id: alert for alert_id, alert in found.items() if alert_id.host == name}

    def _save(self, name: str, judged: _Judged, now: float) -> None:
        with self._lock:
            active, untold = judged.active or {}, judged.untold
            judged.untold, judged.changed = {}, False
        try:
            self._store.alerts.write(name, active, tuple(untold.values()))
        except BaseException:
            with self._lock:
                judged.untold, judged.changed = {**untold, **judged.untold}, True
            raise
        judged.saved_at = now
