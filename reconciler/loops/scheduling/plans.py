"""The schedules of a revision, ready to be decided on: their times and the hosts that they run on.

Made by the scheduler for every new revision, and by commands that show schedules. A job that an alert starts is a
schedule that waits for that alert to fire; its name, `alert:RULE`, is one that no Schedule can have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from reconciler.model.manifests import Lifecycle, Manifests
from reconciler.model.monitoring import Alert, AlertRun
from reconciler.model.schedules import RunOn, Schedule, Trigger
from reconciler.model.selector import EVERYTHING, Selector
from reconciler.resources.values import dataclass
from reconciler.scheduling.timing import Timing, timing_of

ONE = ""
"""Stands for the host where a schedule runs on one of its hosts, and of an alert for those where it never fired."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule with what follows from its manifest and the hosts of the revision."""

    name: str
    schedule: Schedule
    hosts: tuple[str, ...]
    timing: Timing | None = None
    """None: it waits for a condition."""
    of_alert: bool = False
    """An alert starts it, and says so itself."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What progress is kept of from the start: every host, or all of them as one."""
        return (ONE,) if self.one or self.of_alert else self.hosts

    @property
    def watched(self) -> bool:
        """Whether it waits for a condition that has to be looked at all the time."""
        return self.timing is None and not self.of_alert

    @property
    def one(self) -> bool:
        """Whether it runs on one of its hosts."""
        return self.schedule.run_on is RunOn.ONE

    @property
    def fingerprint(self) -> str:
        """When it is due, as text: where that was edited, what was missed before means nothing."""
        schedule = self.schedule
        if schedule.trigger is not None:
            return f"trigger {schedule.trigger.alert or ''} {schedule.trigger.expr or ''}"
        return f"{schedule.cron or ''} {schedule.every_seconds or ''} {schedule.at or ''} {schedule.timezone}"


def planned(manifests: Manifests) -> Mapping[str, Planned]:
    """All schedules and all jobs of alerts, by name. A host that is retired gets no more runs."""

    @cache
    def select(selector: Selector) -> tuple[str, ...]:
        hosts = manifests.hosts
        return tuple(name for name in manifests.select(selector) if hosts[name].lifecycle is not Lifecycle.RETIRE)

    timed = (
        Planned(schedule.name, schedule, select(schedule.hosts), timing_of(schedule))
        for schedule in manifests.schedules.values()
    )
    return {each.name: each for each in (*timed, *_of_alerts(manifests))}


def name_of_alert(rule: str) -> str:
    """The name of the schedule that an alert's job is."""
    return f"alert:{rule}"


def _of_alerts(manifests: Manifests) -> Iterator[Planned]:
    for alert in manifests.alerts.values():
        if alert.run is not None:
            yield Planned(
                name_of_alert(alert.name), _as_schedule(alert, alert.run), tuple(manifests.hosts), of_alert=True
            )


def _as_schedule(alert: Alert, run: AlertRun) -> Schedule:
    trigger = Trigger(alert.name, cooldown_seconds=run.cooldown_seconds, max_per_hour=run.max_per_hour)
    return Schedule(alert.metadata, alert.hosts or EVERYTHING, run.job, run.params, trigger=trigger)
