"""Turns a plan into signed statements and due work. Needs the control lease; every write carries its term."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.clock import Clock, milliseconds
from reconciler.errors import Place, Problem, Refused
from reconciler.loops.controlling.at_work import at_work
from reconciler.loops.controlling.planning import Pair, Situation
from reconciler.loops.controlling.retiring import spoken_to
from reconciler.loops.hosts.sealing import Sealing
from reconciler.model.desired import Bundle, DesiredApp, SignedStatement, Statement, app_digest
from reconciler.model.observed import ObservedHost
from reconciler.model.work import converge_mark
from reconciler.planner.draining import retired
from reconciler.planner.on_trial import OnTrial, has_confirm
from reconciler.planner.published import published_config
from reconciler.planner.waves import Waves
from reconciler.resources.values import dataclass, field, replace
from reconciler.store import CONTROL, HostWrite, Store
from reconciler.trust import Signed, Signer, TrustedKeys, verify


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a commit."""

    written: int
    """Hosts whose statement was written."""
    refused: Mapping[str, Problem]
    """Host -> why it could not be told what it should be."""


@dataclass(frozen=True, slots=True)
class Released:
    """What was made due."""

    pairs: tuple[Pair, ...]
    refused: Mapping[str, Problem]
    """Host -> why nothing could be made due there."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Signs and writes what should be, and releases work whose dependencies are met.

    Args:
        trusted: the keys whose statements need not be written again.
        sealing: of the secrets that agents need.
        agents: the hosts whose own agent works on them.
        key_lists: what these agents are to trust, by version.
    """

    fleet: str
    store: Store
    signer: Signer
    trusted: TrustedKeys
    sealing: Sealing
    agents: Callable[[], Container[str]]
    key_lists: Sequence[tuple[int, Signed]]
    clock: Clock
    _told: set[str] = field(default_factory=set)
    """Hosts that have the lists of keys."""
    _said: dict[str, Statement] = field(default_factory=dict)
    """Host -> the statement that stands in the store, verified."""

    def commit(self, situation: Situation, term: int, *, anew: Collection[str] = ()) -> Committed:
        """Write the statements of all hosts whose content changed or that have none.

        Apps that the plan holds, or that are out of scope, keep what was said of them before. A host writes to its own
        slot, so what is wrong there keeps no other host from being told.

        Args:
            situation: what should be.
            term: of control.
            anew: hosts that are told again in any case, since they refused what stands there.

        Raises:
            Refused: someone with a higher term controls the fleet now.
        """
        desired = situation.desired
        self._tell_keys(desired.hosts)
        self._learn([host for host in desired.hosts if host not in self._said])
        writes: list[HostWrite] = []
        refused: list[Problem] = []
        for host in filter(situation.scope.host, desired.hosts):
            try:
                writes += self._write(situation, host, again=host in anew)
            except Refused as error:
                refused += error.problems
        missing = desired.bundles.keys() - self.store.desired.bundles(desired.bundles, renew=True).keys()
        if writes or missing:
            self.store.desired.put_bundles(desired.bundles.values())
        if writes:
            self.store.desired.write_app_config(published_config(desired))
            refused += self._refused(term, partial(self.store.desired.write, term, writes))
        left_out = {problem.place.host for problem in refused}
        told = [write for write in writes if write.host not in left_out]
        self._said.update({write.host: self._verified(write.host, write.signed) for write in told})
        for host in situation.plan.forgotten:
            refused += self._refused(term, partial(self.store.desired.forget, host, term))
            self._said.pop(host, None)
        return Committed(len(told), {problem.place.host: problem for problem in refused})

    def _refused(self, term: int, write: Callable[[], object]) -> Sequence[Problem]:
        """Write to hosts; what some of them refuse.

        Raises:
            Refused: they are right, control is someone else's.
        """
        try:
            write()
        except Refused as error:
            control = self.store.leases.current(CONTROL)
            if control is None or control.term != term:
                raise
            return error.problems
        return ()

    def forget(self) -> None:
        """Someone else had control: read anew what stands in the store before the next commit."""
        self._said.clear()
        self._told.clear()

    def release(
        self, situation: Situation, observed: Mapping[str, ObservedHost], pairs: Iterable[Pair], term: int
    ) -> Released:
        """Enqueue converge marks for those of `pairs` that wait for nothing.

        Raises:
            Refused: someone with a higher term controls the fleet now.
        """
        pairs = tuple(pairs)
        waves, trials = self._order(situation, observed, pairs)
        ready: tuple[Pair, ...] = ()
        for choice in trials.choices(pairs):
            ready = waves.ready(choice)
            if any(map(trials.concerns, ready)):
                break
        marks = [converge_mark(host, app) for host, app in ready]
        problems = self._refused(term, partial(self.store.work.enqueue, marks, agents=self.agents(), term=term))
        refused = {problem.place.host: problem for problem in problems}
        return Released(tuple(pair for pair in ready if pair[0] not in refused), refused)

    def waiting(
        self, situation: Situation, observed: Mapping[str, ObservedHost], pairs: Collection[Pair]
    ) -> Mapping[Pair, str]:
        """The pairs that cannot be released now, each with what it waits for."""
        waves, trials = self._order(situation, observed, pairs)
        return {**waves.waiting(pairs), **trials.waiting(pairs)}

    def _order(
        self, situation: Situation, observed: Mapping[str, ObservedHost], pairs: Iterable[Pair]
    ) -> tuple[Waves, OnTrial]:
        """What decides who goes first, as it is now; `observed` may be what was known when the plan was made."""
        manifests, desired = situation.manifests, situation.desired
        held = {(plan.host, plan.app) for plan in situation.plan.apps if plan.held}
        watched = [pair for pair in situation.due if has_confirm(manifests, pair[1]) and pair not in held]
        under_way = at_work(self.store, watched) if watched else frozenset()
        if watched:  # asked after the work, whose end an agent tells last: what has just ended began a trial
            observed = {**observed, **self.store.observed.read({host for host, _ in watched})}
        trials = OnTrial(manifests, desired, observed, under_way)
        leaving = frozenset() if situation.scope.override_drain else retired(manifests) & {host for host, _ in pairs}
        return Waves(manifests, desired, observed, spoken_to(self.store, leaving, desired, observed)), trials

    def _tell_keys(self, hosts: Iterable[str]) -> None:
        agents = self.agents()
        untold = [host for host in hosts if host in agents and host not in self._told]
        self.store.key_lists.publish(untold, self.key_lists)
        self._told.update(untold)

    def _learn(self, hosts: list[str]) -> None:
        for host, signed in self.store.desired.statements(hosts).items():
            try:
                self._said[host] = self._verified(host, signed)
            except Refused:
                continue  # forged or of another key: written anew

    def _verified(self, host: str, signed: SignedStatement) -> Statement:
        return verify(signed, self.trusted, fleet=self.fleet, host=host)

    def _write(self, situation: Situation, host: str, *, again: bool) -> Iterator[HostWrite]:
        wanted = situation.desired.hosts[host]
        kept_names = {plan.app for plan in situation.plan.apps if plan.host == host and plan.held}
        said = self._said.get(host)
        kept_names |= {app for app in {*wanted, *(said.apps if said else ())} if not situation.scope.app(app)}
        kept = self._kept(host, kept_names) if kept_names else {}
        apps = {name: app for name, app in wanted.items() if name not in kept_names} | kept
        statement = self._statement(situation, host, apps)
        if again or said is None or _content(said) != _content(statement):
            config = {name: json.loads(app.values).get("config", {}) for name, app in apps.items()}
            kept_bundles = self.store.desired.bundles({app.bundle for app in kept.values()})
            bundles = {**kept_bundles, **situation.desired.bundles}
            yield self._sealed_and_signed(statement, apps, bundles, config)

    def _sealed_and_signed(
        self,
        statement: Statement,
        apps: Mapping[str, DesiredApp],
        bundles: Mapping[str, Bundle],
        config: Mapping[str, Mapping[str, Any]],
    ) -> HostWrite:
        sealed = self.sealing.sealed(statement.sealing_key, apps.values(), bundles)
        digest = hashlib.sha256(sealed).hexdigest() if sealed else ""
        signed = self.signer.sign(replace(statement, sealed=digest))
        return HostWrite(statement.host, signed, statement.generation, apps, config, sealed)

    def seal_again(self, hosts: Sequence[str], term: int) -> tuple[str, ...]:
        """Say the same to hosts that have secrets, sealed anew; returns which.

        Raises:
            Refused: what stands in Redis of a host is not what was signed.
            InvalidInput: secrets are not found.
        """
        self._learn(list(hosts))
        writes = [self._again(host) for host in hosts if host in self._said and self._said[host].sealed]
        self.store.desired.write(term, writes)
        return tuple(write.host for write in writes)

    def _again(self, host: str) -> HostWrite:
        said = self._said[host]
        apps = self._kept(host, set(said.apps))
        statement = replace(said, generation=self._next(said.generation), sealing_key=self.sealing.key(host))
        bundles = self.store.desired.bundles({app.bundle for app in apps.values()})
        config = {name: json.loads(app.values).get("config", {}) for name, app in apps.items()}
        return self._sealed_and_signed(statement, apps, bundles, config)

    def _next(self, seen: int) -> int:
        return max(seen, milliseconds(self.clock.now())) + 1

    def _kept(self, host: str, names: set[str]) -> dict[str, DesiredApp]:
        """What was signed before for these apps.

        Raises:
            Refused: it no longer is what was signed, so it cannot be said again.
        """
        before = self.store.desired.read(host)
        said = self._said.get(host)
        if before is None or said is None:
            return {}
        kept = {name: app for name, app in before.apps.items() if name in names and name in said.apps}
        for name, app in kept.items():
            if app_digest(app.bundle, app.values) != said.apps[name]:
                raise Refused.of(
                    "content-mismatch",
                    "what stands in Redis is not what was signed, so it cannot be kept",
                    place=Place(host=host, app=name),
                    hint="Write all of it again: reconcile apply without --app",
                )
        return kept

    def _statement(self, situation: Situation, host: str, apps: Mapping[str, DesiredApp]) -> Statement:
        known = situation.observed.get(host)
        said = self._said.get(host)
        seen = max(known.generation if known else 0, said.generation if said else 0)
        fingerprints = situation.secrets or {}
        before = said.secrets if said else {}
        secrets = {
            name: fingerprints.get((host, name)) or before.get(name, "") for name, app in apps.items() if app.secrets
        }
        return Statement(
            fleet=self.fleet,
            host=host,
            generation=self._next(seen),
            revision=situation.desired.revision,
            apps={name: app.digest for name, app in apps.items()},
            secrets=secrets,
            key_id=self.signer.key_id,
            sealing_key=self.sealing.key(host) if secrets else "",
        )


def _content(statement: Statement) -> tuple[object, ...]:
    """What makes a new statement necessary. Sealing gives other bytes every time, so its result is no part of it."""
    return statement.apps, statement.secrets, statement.sealing_key
