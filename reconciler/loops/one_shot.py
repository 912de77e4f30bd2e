"""Carries one plan out to its end: commit, then release and execute wave after wave until nothing moves any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import Place, Problem
from reconciler.loops.controller import Controller
from reconciler.loops.executor import Executor
from reconciler.loops.outcome import AppOutcome, HostOutcome
from reconciler.loops.planning import Pair, Situation
from reconciler.model.observed import AppStatus
from reconciler.planner.waves import Waves
from reconciler.store import Store


@dataclass(frozen=True, slots=True)
class OneShot:
    """A controller and an executor that work in turn."""

    store: Store
    controller: Controller
    executor: Executor

    def carry_out(self, situation: Situation, term: int) -> tuple[HostOutcome, ...]:
        """Sign, write and converge; one outcome for every host with something due, also those not reached.

        Raises:
            Refused: someone else took control.
        """
        self.controller.commit(situation, term)
        pending = actionable(situation)
        hosts = sorted({host for host, _ in pending})
        outcomes: list[HostOutcome] = []
        while pending:
            observed = self.store.observed.read(hosts_of(situation))
            released = self.controller.release(situation, observed, pending, term)
            if not released:
                outcomes += _waiting(Waves(situation.manifests, situation.desired, observed).waiting(pending))
                break
            pending = [pair for pair in pending if pair not in set(released)]
            outcomes += self.executor.tick(sorted({host for host, _ in released}))
        return merged(outcomes, hosts)


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


def hosts_of(situation: Situation) -> tuple[str, ...]:
    """All hosts of the manifests."""
    return tuple(situation.desired.hosts)


def merged(outcomes: Iterable[HostOutcome], hosts: Sequence[str]) -> tuple[HostOutcome, ...]:
    """One outcome a host, in order; a host that nobody worked on is said to be busy elsewhere."""
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
            )
    return tuple(together.get(host, HostOutcome(host, unreachable="someone else is working on it")) for host in hosts)


def _waiting(reasons: Mapping[Pair, str]) -> list[HostOutcome]:
    outcomes = []
    for (host, app), reason in reasons.items():
        problem = Problem(Place(host=host, app=app), f"not tried: waits for {reason}", code="dependency-failed")
        outcomes.append(HostOutcome(host, (AppOutcome(app, AppStatus.WAITING, problems=(problem,)),)))
    return outcomes
