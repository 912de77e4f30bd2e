"""What an executor did, as values, and the port through which others watch it while it works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from reconciler.errors import Place, Problem, mistake_of_ours
from reconciler.model.observed import AppStatus, Drift
from reconciler.planner.text_diff import drift_text
from reconciler.rendering import RenderedResource
from reconciler.resources.protocol import ResourceEvent, Wanted
from reconciler.resources.values import dataclass, field

_UNTOUCHED = frozenset({"ok", "skipped", "left"})
_DIFFERENT = frozenset({"add", "change", "delete"})


@dataclass(frozen=True, slots=True)
class AppOutcome:
    """How one app on one host ended."""

    app: str
    status: AppStatus
    ok: int = 0
    changed: int = 0
    failed: int = 0
    unknown: int = 0
    problems: tuple[Problem, ...] = ()
    drift: tuple[Drift, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> what was done to it: add, change or delete."""

    @property
    def well(self) -> bool:
        """Whether the app is as it should be."""
        return self.status is AppStatus.CONVERGED

    @property
    def rolled_back(self) -> bool:
        """Whether it failed and is as it was before."""
        return self.status in {AppStatus.ROLLED_BACK, AppStatus.UNCONFIRMED}


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """How one host ended; a host that could not be reached has a reason and no apps."""

    host: str
    apps: tuple[AppOutcome, ...] = ()
    seconds: float = 0.0
    unreachable: str = ""
    busy: str = ""
    """Why it was left to someone else."""

    @property
    def well(self) -> bool:
        """Whether everything that was asked for is there."""
        return not (self.unreachable or self.busy) and all(app.well for app in self.apps)


def busy(host: str) -> HostOutcome:
    """A host that someone else works on just now."""
    return HostOutcome(host, busy="someone else is working on it")


def internal_error(host: str, error: Exception) -> HostOutcome:
    """A host on which this program made a mistake; whoever reads it can report where."""
    problem = mistake_of_ours(error, Place(host=host))
    return HostOutcome(host, (AppOutcome("", AppStatus.FAILED, failed=1, problems=(problem,)),))


class Listener(Protocol):
    """Told of progress as it happens; a terminal, a log or nobody."""

    def started(self, host: str, app: str) -> None: ...

    def working(self, host: str, app: str, resource: str) -> None: ...

    def finished(self, outcome: HostOutcome) -> None: ...


class Nobody:
    """Listens to nothing."""

    def started(self, host: str, app: str) -> None:
        pass

    def working(self, host: str, app: str, resource: str) -> None:
        pass

    def finished(self, outcome: HostOutcome) -> None:
        pass


class Tally(NamedTuple):
    """How many resources were found right, changed, or failed."""

    ok: int
    changed: int
    failed: int


def tally(events: Iterable[ResourceEvent]) -> Tally:
    """Count resources; one with several events counts once, by the worst of them."""
    worst: dict[str, int] = {}
    for event in events:
        rank = 2 if event.action == "failed" else 0 if event.action in _UNTOUCHED else 1
        worst[event.id] = max(worst.get(event.id, 0), rank)
    return Tally(*(sum(rank == asked for rank in worst.values()) for asked in range(3)))


def changes_of(events: Iterable[ResourceEvent]) -> Mapping[str, str]:
    """Resource id -> what an apply did to it, of those that it added, changed or deleted."""
    return {event.id: event.action for event in events if event.action in _DIFFERENT}


def done_to(events: Iterable[ResourceEvent]) -> Mapping[str, str]:
    """Resource id -> everything that was done to it: `change`, `change, restart`."""
    done: dict[str, list[str]] = {}
    for event in events:
        if event.action not in _UNTOUCHED | {"failed"}:
            done.setdefault(event.id, []).append(event.action)
    return {name: ", ".join(dict.fromkeys(actions)) for name, actions in done.items()}


def drift_of(events: Iterable[ResourceEvent], wanted: Iterable[Wanted | RenderedResource]) -> tuple[Drift, ...]:
    """The resources that a look found different from what should be there."""
    fields = {resource.id: resource.fields for resource in wanted}
    return tuple(
        Drift(
            event.id,
            event.action,
            event.differences or ((event.error,) if event.error else ()),
            drift_text(event, fields.get(event.id, {})),
        )
        for event in events
        if event.action in _DIFFERENT or event.action == "failed"
    )
