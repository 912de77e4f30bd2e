"""Carries one plan out to its end: commit, then release and execute wave after wave until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.clock import Clock
from reconciler.errors import Place, Problem
from reconciler.loops.controlling.controller import Controller
from reconciler.loops.controlling.given import Given
from reconciler.loops.controlling.planning import Pair, Planning, Situation
from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome import AppOutcome, HostOutcome, busy
from reconciler.model.observed import AppStatus, ObservedHost
from reconciler.model.work import mark_of
from reconciler.resources.values import dataclass
from reconciler.store import Store

BUSY_SECONDS = 45.0
"""How long hosts are waited for that someone else works on; longer than any lease of a run that was cut off."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class OneShot:
    """A controller and an executor that work in turn.

    Args:
        given: what agents do.
        tell: says what is waited for.
    """

    store: Store
    controller: Controller
    executor: Executor
    planning: Planning
    given: Given
    clock: Clock
    tell: Callable[[str], None]

    def carry_out(self, situation: Situation, term: int) -> tuple[HostOutcome, ...]:
        """Sign, write and converge; one outcome for every host in scope, also those not reached.

        Raises:
            Refused: someone else took control.
        """
        scope = situation.scope
        refused = self.controller.commit(situation, term, anew=_refusing(situation.observed)).refused
        self.executor.report(host for host in situation.local if scope.host(host))
        pending = [pair for pair in actionable(situation) if pair[0] not in refused]
        outcomes = [*_rejected(situation), *(_untold(host, problem) for host, problem in sorted(refused.items()))]
        while pending:
            observed = self.store.observed.read(situation.desired.hosts)
            release = self.controller.release(situation, observed, pending, term)
            released = release.pairs
            outcomes += [_untold(host, problem) for host, problem in sorted(release.refused.items())]
            pending = [pair for pair in pending if pair[0] not in release.refused]
            if not released:
                outcomes += _waiting(self.controller.waiting(situation, observed, pending))
                break
            pending = [pair for pair in pending if pair not in set(released)]
            here = self.given.give(released)
            outcomes += self._execute(here)
            outcomes += self.given.wait(situation, self.executor.listener)
        hosts = [host for host in situation.desired.hosts if scope.host(host)]
        return merged(outcomes, hosts, lambda host: self._untouched(situation, host))

    def _execute(self, released: Sequence[Pair]) -> list[HostOutcome]:
        """Work on the hosts, waiting for those that someone else holds, or held when it was cut off."""
        left = {host for host, _ in released}
        outcomes: list[HostOutcome] = []
        deadline = self.clock.monotonic() + BUSY_SECONDS
        told = False
        while left:
            done = self.executor.tick(sorted(left))
            outcomes += done
            left -= {outcome.host for outcome in done}
            left = {host for host in left if self._still_due(host, released)}
            if not left or self.clock.monotonic() >= deadline:
                break
            if not told:
                self.tell(f"waiting for {', '.join(sorted(left))}: someone else works there, or was cut off")
                told = True
            self.clock.sleep(_POLL_SECONDS)
        return [*outcomes, *(busy(host) for host in sorted(left))]

    def _still_due(self, host: str, released: Sequence[Pair]) -> bool:
        return any(self.store.work.get(host, mark_of(app)) for name, app in released if name == host)

    def _untouched(self, situation: Situation, host: str) -> HostOutcome:
        """A host where nothing was to be done."""
        view = self.planning.view(situation.desired, host)
        apps = [AppOutcome(app, AppStatus.CONVERGED, ok=len(view.rendered(app).resources)) for app in view.apps]
        return HostOutcome(host, tuple(apps))


def _refusing(observed: Mapping[str, ObservedHost]) -> frozenset[str]:
    """Hosts that last refused something."""
    return frozenset(
        host for host, known in observed.items() for app in known.apps.values() if app.status is AppStatus.REFUSED
    )


def actionable(situation: Situation) -> list[Pair]:
    """The due (host, app) pairs that nothing holds back. A renamed app is worked on under its new name alone."""
    held = {(app.host, app.app) for app in situation.plan.apps if app.held}
    renamed = {
        (host, old)
        for host, apps in situation.desired.hosts.items()
        for app in apps
        for old in situation.manifests.apps[app].metadata.formerly
    }
    return [pair for pair in situation.due if pair not in held | renamed and pair[0] in situation.desired.hosts]


def merged(
    outcomes: Iterable[HostOutcome], hosts: Sequence[str], untouched: Callable[[str], HostOutcome]
) -> tuple[HostOutcome, ...]:
    """One outcome a host, in order."""
    together: dict[str, HostOutcome] = {}
    for outcome in outcomes:
        before = together.get(outcome.host)
        if before is None:
            together[outcome.host] = outcome
        else:
            together[outcome.host] = HostOutcome(
                outcome.host,
                (*before.apps, *outcome.apps),
                before.seconds + outcome.seconds,
                outcome.unreachable or before.unreachable,
                outcome.busy or before.busy,
            )
    return tuple(together.get(host) or untouched(host) for host in hosts)


def _waiting(reasons: Mapping[Pair, str]) -> list[HostOutcome]:
    return [
        _not_tried(pair, AppStatus.WAITING, f"not tried: waits for {reason}", "", "dependency-failed")
        for pair, reason in reasons.items()
    ]


def _untold(host: str, problem: Problem) -> HostOutcome:
    return HostOutcome(host, (AppOutcome("", AppStatus.REFUSED, problems=(problem,)),))


def _rejected(situation: Situation) -> Iterator[HostOutcome]:
    """Apps that failed before just as they are now: they are not well, though nothing is done about them."""
    for plan in situation.plan.apps:
        known = situation.observed.get(plan.host)
        wanted = situation.desired.hosts.get(plan.host, {}).get(plan.app)
        if plan.held and known and wanted and wanted.digest in known.rejected:
            hint = f"Change it, or try it again: reconcile apply --app {plan.app}"
            yield _not_tried(
                (plan.host, plan.app), AppStatus.ROLLED_BACK, "not tried: it failed here before", hint, "rejected"
            )


def _not_tried(pair: Pair, status: AppStatus, message: str, hint: str, code: str) -> HostOutcome:
    host, app = pair
    problem = Problem(Place(host=host, app=app), message, hint, code)
    return HostOutcome(host, (AppOutcome(app, status, problems=(problem,)),))
