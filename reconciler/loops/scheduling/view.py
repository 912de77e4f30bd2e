"""Schedules as people see them: what the manifests say, what became of the last runs, what comes next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from reconciler.loops.scheduling.plans import Planned, planned
from reconciler.model.manifests import Manifests
from reconciler.model.scheduled import Decision, Held, ScheduleState, Suspension
from reconciler.model.schedules import Schedule
from reconciler.model.work import WorkState
from reconciler.resources.values import dataclass
from reconciler.store import Store


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One schedule, or the job of an alert (`alert:RULE`)."""

    name: str
    schedule: Schedule
    hosts: tuple[str, ...]
    next: datetime | None
    """The next nominal time; None: it waits for a condition, or will not run any more."""
    suspension: Suspension | None
    held: Held | None
    """The run that waits now."""
    recent: tuple[Decision, ...]
    """The newest first."""
    last_states: tuple[tuple[str, WorkState], ...] = ()
    """What the newest run that was started came to, by host."""


def views(manifests: Manifests, store: Store, now: datetime, names: Collection[str] = ()) -> Sequence[ScheduleView]:
    """All of them by name, or only these; what alerts start stands at the end."""
    plans = [plan for plan in planned(manifests).values() if not names or plan.name in names]
    records = store.schedules.read(plan.name for plan in plans)
    suspensions = store.schedules.suspensions()
    found = []
    for plan in sorted(plans, key=lambda plan: (plan.of_alert, plan.name)):
        state = records[plan.name].state if plan.name in records else ScheduleState("")
        found.append(_view(plan, state, suspensions.get(plan.name), store, now))
    return found


def _view(
    plan: Planned, state: ScheduleState, suspension: Suspension | None, store: Store, now: datetime
) -> ScheduleView:
    held = [progress.held for progress in state.progress.values() if progress.held]
    started = next((decision for decision in state.recent if decision.run and not decision.reason), None)
    pairs = [(host, started.run) for host in started.hosts] if started else []
    states = store.work.states(pairs)
    return ScheduleView(
        name=plan.name,
        schedule=plan.schedule,
        hosts=plan.hosts,
        next=plan.timing.after(now) if plan.timing else None,
        suspension=suspension,
        held=min(held, key=lambda held: held.nominal, default=None),
        recent=state.recent,
        last_states=tuple((host, state) for (host, _), state in zip(pairs, states, strict=True) if state),
    )
