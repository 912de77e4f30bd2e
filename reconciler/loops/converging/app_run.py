"""One app on one host, once: render with facts and secrets, look or apply, and record what came of it."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from reconciler.clock import Clock
from reconciler.errors import NOWHERE, InvalidInput, Place, Problem, ReconcilerError, Refused
from reconciler.loops.converging.held_alerts import alerts_held
from reconciler.loops.converging.outcome import AppOutcome, Listener, changes_of, done_to, drift_of, tally
from reconciler.loops.hosts.host_view import HostView
from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.resources.protocol import Event, Finished, HealthEvent, Request, ResourceEvent, Wanted
from reconciler.resources.values import dataclass, replace
from reconciler.store import Store
from reconciler.transport import Transport
from reconciler.trust import Masker

_MOST_NAMED = 50
"""Resources that an event of the history names."""


class Look(enum.Enum):
    """Whether a run may change the host."""

    ONLY = "only"
    THEN_ACT = "then-act"


class Secrets(Protocol):
    """Where clear values come from, and the keyed fingerprint by which others see that they changed."""

    def of(self, view: HostView, app: str) -> tuple[Mapping[str, str], str]:
        """The secrets that an app reads, path -> clear text, and one keyed fingerprint of them; empty for none.

        Raises:
            InvalidInput: a secret is not found; names everything that was tried.
        """
        ...


@dataclass(frozen=True, slots=True)
class AppRun:
    """Performs apps of one host over an open transport."""

    view: HostView
    transport: Transport
    facts: Mapping[str, Any]
    look: Look
    token: int
    store: Store
    secrets: Secrets
    masker: Masker
    """Knows every secret that was resolved in this process."""
    clock: Clock
    listener: Listener
    confirm: Callable[[str], bool]
    """Whether an app that was just applied on trial stands."""

    def perform(self, app: str) -> AppOutcome:
        """Look at the app, or bring it to its state. Never raises for what is wrong with the app itself."""
        if app in self.view.apps and self.view.facts_changed(app, self.facts):
            return self._not_applied(app, AppStatus.REPLAN, _replan(self._place(app)))
        try:
            secrets, fingerprint = self.secrets.of(self.view, app)
            request = self.view.request(app, secrets, token=self.token, fingerprint=fingerprint)
        except InvalidInput as error:
            return self._not_applied(app, AppStatus.FAILED, *self._placed(app, error))
        except Refused as error:
            return self._not_applied(app, AppStatus.REFUSED, *self._placed(app, error))
        events = list(self._told(request, self._events(request)))
        resources = [event for event in events if isinstance(event, ResourceEvent)]
        finished = next(event for event in reversed(events) if isinstance(event, Finished))
        if self.look is Look.ONLY:
            return self._seen(app, resources, request)
        outcome = self._outcome(app, events, resources, finished)
        self._record(app, fingerprint, outcome, finished)
        self._remember(app, outcome, resources)
        return outcome

    def _events(self, request: Request) -> Iterator[Event]:
        if self.look is Look.ONLY:
            yield from self.transport.inspect(request)
            return
        with alerts_held(self.store, self.view.host, request.app):
            yield from self.transport.apply(request)

    def _placed(self, app: str, error: ReconcilerError) -> Iterator[Problem]:
        """Its problems, each with a place."""
        here = self._place(app)
        return (replace(it, place=here) if it.place == NOWHERE else it for it in error.problems)

    def waits(self, app: str, dependency: str) -> AppOutcome:
        """The app was not tried, because what it depends on did not get well on this host."""
        problem = Problem(self._place(app), f"not tried: {dependency} is not healthy here", code="dependency-failed")
        return AppOutcome(app, AppStatus.WAITING, problems=(problem,))

    def _told(self, request: Request, events: Iterable[Event]) -> Iterator[Event]:
        """The events, masked. Resources come in declared order, so each event also says which one is next."""
        waiting = deque(request.resources)
        self._tell_next(request.app, waiting)
        for event in events:
            if waiting and isinstance(event, ResourceEvent) and event.id == waiting[0].id:
                waiting.popleft()
                self._tell_next(request.app, waiting)
            yield self._masked(event)

    def _tell_next(self, app: str, waiting: Sequence[Wanted]) -> None:
        """What is being dealt with; after the last resource that is everything else."""
        self.listener.working(self.view.host, app, waiting[0].name if waiting else "services and health")

    def _outcome(
        self, app: str, events: Iterable[Event], resources: Sequence[ResourceEvent], finished: Finished
    ) -> AppOutcome:
        status = AppStatus(finished.status)
        problems = tuple(self._problems(app, events))
        if status is AppStatus.CONFIRMING:
            status, problems = (
                (AppStatus.CONVERGED, ()) if self.confirm(app) else (status, (_on_trial(self._place(app)),))
            )
        if status is not AppStatus.CONVERGED and not problems:
            problems = (Problem(self._place(app), finished.error, finished.hint, finished.code or "apply-failed"),)
        counts = tally(resources)
        failed = max(counts.failed, int(status is not AppStatus.CONVERGED))
        changes = changes_of(resources)
        return AppOutcome(app, status, counts.ok, counts.changed, failed, problems=problems, changes=changes)

    def _problems(self, app: str, events: Iterable[Event]) -> Iterator[Problem]:
        for event in events:
            if isinstance(event, ResourceEvent) and event.action == "failed":
                yield Problem(self._place(app, event.name), event.error, event.hint, "resource-failed")
            elif isinstance(event, HealthEvent) and not event.ok:
                yield Problem(self._place(app), f"{event.check}: {event.message}", code="unhealthy")

    def _record(self, app: str, fingerprint: str, outcome: AppOutcome, finished: Finished) -> None:
        host = self.view.host
        if app not in self.view.apps and outcome.well:
            self.store.observed.remove_app(host, app, self.token)
        else:
            applied = self._applied(app, finished, outcome)
            observed = self._observed(app, outcome.status, outcome.problems, fingerprint)
            self.store.observed.write(host, {app: (observed, applied)}, self.token)
            renamed = outcome.well or outcome.status is AppStatus.CONFIRMING
            for old_name in self.view.formerly(app) if renamed else ():
                self.store.observed.remove_app(host, old_name, self.token)

    def _remember(self, app: str, outcome: AppOutcome, resources: Sequence[ResourceEvent]) -> None:
        """Say it in the history; of very many resources how many they were, and which the first ones."""
        if outcome.well and not outcome.changed:
            return
        kind = outcome.status.value if app in self.view.apps or not outcome.well else "removed"
        why = next((": ".join(filter(None, (it.place.resource, it.message))) for it in outcome.problems), "")
        self.store.journal.append(
            kind,
            host=self.view.host,
            app=app,
            changed=outcome.changed,
            done=dict(islice(done_to(resources).items(), _MOST_NAMED)),
            revision=self.view.statement.revision,
            reason=why,
        )

    def _applied(self, app: str, finished: Finished, outcome: AppOutcome) -> Applied:
        desired = self.view.apps.get(app)
        bundle, values = (desired.bundle, desired.values) if desired else ("", "{}")
        return Applied(bundle, values, finished.resources, finished.adopted, outcome.changes)

    def _observed(self, app: str, status: AppStatus, problems: Iterable[Problem], secrets: str = "") -> ObservedApp:
        now = self.clock.now()
        statement = self.view.statement
        return ObservedApp(
            generation=statement.generation,
            digest=statement.apps.get(app, ""),
            status=status,
            revision=statement.revision,
            secrets=secrets,
            error="\n".join(str(problem) for problem in problems),
            finished_at=now,
            verified_at=now,
        )

    def _not_applied(self, app: str, status: AppStatus, *problems: Problem) -> AppOutcome:
        outcome = AppOutcome(app, status, failed=int(status is AppStatus.FAILED), problems=problems)
        if self.look is Look.THEN_ACT:
            observed = self._observed(app, status, problems)
            self.store.observed.write(self.view.host, {app: (observed, None)}, self.token)
        return outcome

    def _seen(self, app: str, resources: list[ResourceEvent], request: Request) -> AppOutcome:
        drift = drift_of(resources, request.resources)
        before = self.store.observed.read([self.view.host]).get(self.view.host)
        known = before.apps.get(app) if before else None
        if known and known.status is not AppStatus.CONVERGED:
            message = "its last run did not end well, so there is nothing to compare with"
            problem = Problem(self._place(app), message, "Look: reconcile status", "not-converged")
            return AppOutcome(app, known.status, *tally(resources), problems=(problem,))
        if known and known.drift != drift:
            seen = replace(known, drift=drift, verified_at=self.clock.now())
            self.store.observed.write(self.view.host, {app: (seen, None)}, self.token)
        return AppOutcome(app, AppStatus.CONVERGED, *tally(resources), drift=drift)

    def _masked(self, event: Event) -> Event:
        """The event as others may see it."""
        mask = self.masker.mask
        if isinstance(event, HealthEvent):
            return replace(event, message=mask(event.message))
        told = replace(event, error=mask(event.error), hint=mask(event.hint))
        if isinstance(told, ResourceEvent):
            before = mask(told.before) if told.before else told.before
            return replace(told, differences=tuple(map(mask, told.differences)), before=before)
        return told

    def _place(self, app: str, resource: str = "") -> Place:
        return Place(host=self.view.host, app=app, resource=resource)


def _on_trial(place: Place) -> Problem:
    message = "applied, but the host has not reached Redis over a new connection yet"
    return Problem(place, message, "It is confirmed, or the host takes it back by itself.", "not-confirmed-yet")


def _replan(place: Place) -> Problem:
    message = "facts that it reads have changed since the plan; nothing was applied"
    return Problem(place, message, "The next plan takes them in: reconcile apply", "replan")
