"""From a tree of manifests to a plan: gather what is known, compose what should be, look where it is cheap, compare.

Changes nothing anywhere. `plan`, `apply`, `status`, `explain` and the controller all start here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import NOWHERE, InvalidInput, Place, Problem, Refused, Unavailable
from reconciler.loops.controlling.careful_look import CarefulLook
from reconciler.loops.controlling.known_hosts import KnownHosts
from reconciler.loops.controlling.loading import load
from reconciler.loops.controlling.retiring import spoken_to
from reconciler.loops.converging.outcome import drift_of
from reconciler.loops.hosts import ledger_view
from reconciler.loops.hosts.host_view import HostView
from reconciler.loops.hosts.known_secrets import KnownSecrets
from reconciler.loops.hosts.reach import Reach
from reconciler.manifests import Loader
from reconciler.model.desired import Bundle, Desired, DesiredApp, Statement
from reconciler.model.manifests import Guard, Manifests
from reconciler.model.observed import Applied, AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.model.plan import Plan
from reconciler.model.tree import Tree
from reconciler.planner.compose import Composer
from reconciler.planner.diff import diff
from reconciler.planner.draining import retired
from reconciler.planner.due import Quiet, due
from reconciler.planner.explain import Explanation, explain
from reconciler.planner.guard import guard
from reconciler.planner.inputs import PlanInput
from reconciler.planner.resolver import Locate
from reconciler.planner.scope import Scope
from reconciler.planner.secret_references import first_reference
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.records.ledger import AppRecord, Ledger
from reconciler.resources.values import dataclass, replace
from reconciler.store import Store

Pair = tuple[str, str]
"""(host, app)."""


_SAME = "same"
"""Stands for every secret's fingerprint where two revisions are compared: a revision holds no values."""

Facts = Mapping[str, Mapping[str, Any]]
"""Host -> its facts."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What should be and what is known, at one moment."""

    tree: Tree
    manifests: Manifests
    desired: Desired
    observed: Mapping[str, ObservedHost]
    ledgers: Mapping[str, Ledger]
    """Of the hosts that could be asked without crossing a network."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision rests on, and the plan that follows from it."""

    tree: Tree
    manifests: Manifests
    desired: Desired
    observed: Mapping[str, ObservedHost]
    secrets: Mapping[Pair, str] | None
    scope: Scope
    due: tuple[Pair, ...]
    plan: Plan
    local: tuple[str, ...]
    """Hosts that could be asked without crossing a network."""


@dataclass(frozen=True, slots=True)
class _InVain:
    """The tree that was loaded or composed in vain last."""

    content: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Any] | None] | None
    """Of its hosts; None: whatever they are, it cannot be loaded."""
    problems: Sequence[Problem]


class Planning:
    """Makes situations; keeps what parsing and composing cost between calls.

    Args:
        store: what Redis knows; None compares with nothing known (`--against`).
    """

    def __init__(
        self,
        *,
        store: Store | None,
        loader: Loader,
        composer: Composer,
        reach: Reach,
        secrets: KnownSecrets,
        clock: Clock,
    ) -> None:
        self._store = store
        self._loader = loader
        self._composer = composer
        self._reach = reach
        self._secrets = secrets
        self._clock = clock
        self._known = KnownHosts(store, clock) if store else None
        self._quiet = Quiet()
        self._in_vain: _InVain | None = None

    def forget(self) -> None:
        """Ask Redis anew for everything the next time."""
        if self._known:
            self._known.forget()

    def changed(self, hosts: Iterable[str]) -> None:
        """Someone worked on these hosts: what was known of them no longer holds."""
        if self._known:
            self._known.changed(hosts)

    def survey(self, tree: Tree, facts: Facts | None = None) -> Survey:
        """What should be and what is known; `facts` add to what Redis knows.

        Raises:
            InvalidInput: the manifests or templates have problems; all of them.
            Unavailable: Redis cannot be reached.
        """
        found = self._surveyed(tree, self._loaded(tree), facts)
        self._in_vain = None
        return found

    def _surveyed(self, tree: Tree, manifests: Manifests, facts: Facts | None) -> Survey:
        self._reach.show(manifests)
        ledgers: dict[str, Ledger] = {}
        observed = dict(self._known.read(manifests.hosts)) if self._known else {}
        for host, given in (facts or {}).items():
            observed[host] = replace(observed.get(host, ObservedHost()), facts=given)
        for host in self._reach.local:
            with closing(self._reach.open(host)) as transport:
                ledgers[host] = transport.ledger()
                observed[host] = ledger_view.observed_host(ledgers[host], observed.get(host), transport.facts())
        return Survey(tree, manifests, self._composed(tree, manifests, observed), observed, ledgers)

    def _loaded(self, tree: Tree) -> Manifests:
        """Its manifests. One with mistakes is not read again and again beside the one in force."""
        if self._in_vain and self._in_vain.facts is None and self._in_vain.content == tree.content:
            raise InvalidInput(self._in_vain.problems)
        try:
            return load(self._loader, tree)
        except InvalidInput as error:
            self._in_vain = _InVain(tree.content, None, error.problems)
            raise

    def _composed(self, tree: Tree, manifests: Manifests, observed: Mapping[str, ObservedHost]) -> Desired:
        """What should be. Nor is one composed again and again whose mistakes only that shows."""
        facts = {host: known.facts for host, known in observed.items()}
        if self._in_vain and self._in_vain.content == tree.content and self._in_vain.facts == facts:
            raise InvalidInput(self._in_vain.problems)
        try:
            return self._compose(tree, manifests, observed)
        except InvalidInput as error:
            self._in_vain = _InVain(tree.content, facts, error.problems)
            raise

    def spoken_to(self, survey: Survey) -> Mapping[str, Sequence[Pair]]:
        """Each host that is retired -> the apps elsewhere, as (host, app), for which its pruning waits."""
        hosts = retired(survey.manifests) & survey.observed.keys()
        return spoken_to(self._store, hosts, survey.desired, survey.observed) if self._store else {}

    def look(self, survey: Survey, scope: Scope) -> Survey:
        """The survey with what apps of local hosts look like now: drift that nobody has reported yet.

        For people, who expect a plan to know what is in front of it; a watch has its timers.
        """
        observed = dict(survey.observed)
        for host in filter(scope.host, survey.ledgers):
            known = observed[host]
            settled = [
                app for app in survey.desired.hosts.get(host, {}) if scope.app(app) and self._settled(survey, host, app)
            ]
            drifted = {app: replace(known.apps[app], drift=self._drift(survey, host, app)) for app in settled}
            observed[host] = replace(known, apps={**known.apps, **drifted})
        return replace(survey, observed=observed)

    def _settled(self, survey: Survey, host: str, app: str) -> bool:
        known = survey.observed[host].apps.get(app)
        wanted = survey.desired.hosts[host][app].digest
        return known is not None and known.status is AppStatus.CONVERGED and known.digest == wanted

    def _drift(self, survey: Survey, host: str, app: str) -> tuple[Drift, ...]:
        record = survey.ledgers[host].apps.get(app, AppRecord())
        looks = [it for it in self._look(survey.desired, host, app, record).values() if it.action != "failed"]
        texts = any(look.before for look in looks)
        return drift_of(looks, self.view(survey.desired, host).rendered(app).resources if texts else ())

    def plan(
        self, tree: Tree, scope: Scope, facts: Facts | None = None, *, texts: bool = True, look: bool = False
    ) -> Situation:
        """The situation now.

        Args:
            tree: the files.
            scope: which hosts and apps.
            facts: what to know of hosts beyond what Redis knows.
            texts: False for who only acts on the plan, in a fraction of the time.
            look: look at local hosts for drift that nobody has reported yet.

        Raises:
            InvalidInput: the manifests, templates or secrets have problems; all of them.
            Unavailable: Redis cannot be reached.
        """
        return self._planned(self.survey(tree, facts), scope, texts=texts, look=look)

    def again(self, situation: Situation, *, texts: bool = True) -> Situation:
        """The situation of the same tree as things are now; its files, which may be gone, are not read.

        Raises: as `plan`.
        """
        survey = self._surveyed(situation.tree, situation.manifests, None)
        return self._planned(survey, situation.scope, texts=texts, look=False)

    def _planned(self, survey: Survey, scope: Scope, *, texts: bool, look: bool) -> Situation:
        self._secrets.forget()
        secrets = self._secrets.fingerprints(survey.desired.readers, self.referring(survey))
        survey = self.look(survey, scope) if look else survey
        pairs = due(survey.desired, survey.observed, secrets, scope, self._quiet)
        looks = dict(self._looks(survey, pairs))
        applied = self._applied(pairs, survey)
        return self._situation(survey, scope, secrets, pairs, applied=applied, looks=looks, texts=texts)

    def against(self, tree: Tree, old: Tree, scope: Scope, facts: Facts | None = None) -> Situation:
        """The situation as if every host stood exactly where another revision wants it; asks nobody.

        Raises:
            InvalidInput: either revision has problems.
        """
        known = {host: ObservedHost(facts=found) for host, found in (facts or {}).items()}
        before = self._compose(old, load(self._loader, old), known)
        manifests = load(self._loader, tree)
        desired = self._compose(tree, manifests, known)
        observed = {
            host: ObservedHost(
                apps={
                    name: ObservedApp(1, app.digest, AppStatus.CONVERGED, secrets=_SAME) for name, app in apps.items()
                },
                facts=known[host].facts if host in known else None,
                generation=1,
            )
            for host, apps in before.hosts.items()
        }
        secrets = {(host, app): _SAME for host, apps in desired.hosts.items() for app in apps}
        pairs = due(desired, observed, secrets, scope)
        applied = {pair: self._as_applied(before, pair) for pair in pairs if pair[1] in before.hosts.get(pair[0], {})}
        both = replace(desired, bundles={**before.bundles, **desired.bundles})
        survey = Survey(tree, manifests, both, observed, {})
        found = self._situation(survey, scope, secrets, pairs, applied=applied, looks={})
        return replace(found, plan=replace(found.plan, against=str(old.revision)))

    def locating(self, tree: Tree) -> Locate:
        """Finds places in the manifests of a tree."""
        return lambda origin, path: self._loader.locate(tree, origin, path)

    def referring(self, survey: Survey) -> Callable[[str], Place]:
        """Finds the place in the manifests that refers to a secret."""

        def place(secret: str) -> Place:
            found = first_reference(survey.manifests, secret)
            return self._loader.locate(survey.tree, *found) if found else NOWHERE

        return place

    def explained(self, survey: Survey, host: str, app: str) -> Explanation:
        """Where everything about an app on a host comes from, and why it is due; a missing secret is no obstacle.

        Raises:
            InvalidInput: the app does not run there.
        """
        wanted = survey.desired.hosts.get(host, {}).get(app)
        try:
            secrets = self._secrets.fingerprints([wanted] if wanted and wanted.secrets else [])
        except InvalidInput:
            secrets = None
        given = PlanInput(
            manifests=survey.manifests,
            desired=survey.desired,
            observed=survey.observed,
            applied={},
            bundles={},
            secrets=secrets,
            looks={},
            now=self._clock.now(),
        )
        return explain(given, host, app)

    def view(self, desired: Desired, host: str) -> HostView:
        """One host of a composition, ready to be rendered or looked at."""
        apps = desired.hosts[host]
        digests = {name: app.digest for name, app in apps.items()}
        unsigned = Statement(desired.fleet, host, 0, desired.revision, digests, {}, "")
        return HostView(unsigned, apps, desired.bundles, self._composer.renderer)

    def _situation(
        self,
        survey: Survey,
        scope: Scope,
        secrets: Mapping[Pair, str] | None,
        pairs: tuple[Pair, ...],
        *,
        applied: Mapping[Pair, Applied],
        looks: Mapping[Pair, Mapping[str, ResourceEvent]],
        texts: bool = True,
    ) -> Situation:
        desired = survey.desired
        plan_input = PlanInput(
            manifests=survey.manifests,
            desired=desired,
            observed=survey.observed,
            applied=applied,
            bundles={**self._old_bundles(applied, desired), **desired.bundles},
            secrets=secrets,
            looks=looks,
            now=self._clock.now(),
            scope=scope,
            due=pairs,
            texts=texts,
        )
        plan = _judged(diff(plan_input, self._composer.renderer), survey.manifests.fleet.guard)
        local = tuple(survey.ledgers)
        return Situation(survey.tree, survey.manifests, desired, survey.observed, secrets, scope, pairs, plan, local)

    def _compose(self, tree: Tree, manifests: Manifests, observed: Mapping[str, ObservedHost]) -> Desired:
        facts = {host: known.facts for host, known in observed.items()}
        return self._composer.compose(
            manifests, str(tree.revision), facts, lambda origin, path: self._loader.locate(tree, origin, path)
        )

    def _applied(self, pairs: Sequence[Pair], survey: Survey) -> Mapping[Pair, Applied]:
        seen = [(host, app) for host, app in pairs if host in survey.observed and app in survey.observed[host].apps]
        found = dict(self._store.observed.applied(seen)) if self._store else {}
        for host, app in seen:
            record = survey.ledgers[host].apps.get(app) if host in survey.ledgers else None
            if record:
                found[host, app] = ledger_view.applied(record)
        return found

    def _as_applied(self, before: Desired, pair: Pair) -> Applied:
        host, app = pair
        content: DesiredApp = before.hosts[host][app]
        rendered = self.view(before, host).rendered(app)
        return Applied(content.bundle, content.values, {r.id: r.fingerprint for r in rendered.resources})

    def _old_bundles(self, applied: Mapping[Pair, Applied], desired: Desired) -> Mapping[str, Bundle]:
        wanted = {item.bundle for item in applied.values() if item.bundle} - desired.bundles.keys()
        return self._store.desired.bundles(wanted, renew=True) if self._store and wanted else {}

    def _looks(self, survey: Survey, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Mapping[str, ResourceEvent]]]:
        for host, app in pairs:
            if host in survey.ledgers and app in survey.desired.hosts.get(host, {}):
                record = survey.ledgers[host].apps.get(app, AppRecord())
                yield (host, app), self._look(survey.desired, host, app, record)

    def _look(self, desired: Desired, host: str, app: str, record: AppRecord) -> Mapping[str, ResourceEvent]:
        view = self.view(desired, host)
        clear = self._secrets.resolve(view.secrets(app)) if self._secrets.keyed else None
        look = CarefulLook.of(view.request(app, clear), record, opaque=clear is None)
        try:
            with closing(self._reach.open(host)) as transport:
                return look.seen(transport.inspect(look.request))
        except Unavailable:
            return {}


def _judged(plan: Plan, limits: Guard) -> Plan:
    """The plan with what the guard says of it, so that a dry run tells it too."""
    try:
        guard(plan, limits, None)
    except Refused as error:
        return replace(plan, refused=str(error))
    return plan
