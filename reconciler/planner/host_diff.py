"""The plan of one host: each of its due apps against what is known of it, and the apps that leave it.

Called by `diff` for one host after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from reconciler.errors import Place, Problem
from reconciler.model.desired import DesiredApp
from reconciler.model.manifests import DriftPolicy, PrunePolicy
from reconciler.model.observed import Applied, Drift, ObservedApp
from reconciler.model.plan import AppPlan, Change
from reconciler.planner.claims import claims_a_place
from reconciler.planner.comparing import Before, Comparer, Rotation
from reconciler.planner.due import Due, why_due
from reconciler.planner.held import held_back
from reconciler.planner.inputs import PlanInput
from reconciler.planner.leaving import leaves_nothing, prune_policy, why_it_stays
from reconciler.planner.past import Past
from reconciler.planner.renderings import Renderings
from reconciler.planner.text_diff import drift_text
from reconciler.rendering import Rendered


class HostDiff:
    """One host in one run of `diff`."""

    def __init__(self, host: str, given: PlanInput, past: Past, renderings: Renderings, comparer: Comparer) -> None:
        self._host = host
        self._given = given
        self._past = past
        self._renderings = renderings
        self._comparer = comparer
        self._desired = given.desired.hosts[host]
        self._rendered: dict[str, Rendered | None] = {}

    def plans(self, due_apps: Sequence[str]) -> Iterator[AppPlan]:
        """Plans of the due apps and of those that leave, by name."""
        due = frozenset(due_apps)
        leaving = frozenset(app for app in self._past.leaving(self._host) if self._given.scope.app(app))
        for app in sorted(due | leaving):
            plan = self._due_app(self._desired[app]) if app in due else self._leaving_app(app)
            if plan is not None:
                yield plan
        self._check_claims(due_apps)

    def _due_app(self, wanted: DesiredApp) -> AppPlan | None:
        rendered = self._render(wanted.app)
        if rendered is None:
            return None
        known = self._past.app(self._host, wanted.app)
        applied = self._past.applied(self._host, wanted.app, self._given.applied)
        bundle = self._renderings.bundle(wanted.bundle)
        policy = bundle.content.get("policy") if bundle else None
        changes, found = self._changes(wanted, rendered, known, applied)
        deletes: tuple[Change, ...] = ()
        left: tuple[str, ...] = ()
        if applied is not None:
            ids = {resource.id for resource in rendered.resources}
            deletes, left = self._prune(wanted.app, ids, applied, prune_policy(policy))
        return AppPlan(
            host=self._host,
            app=wanted.app,
            changes=changes + deletes,
            follow_ups=self._comparer.follow_ups.of(rendered.resources, changes),
            left_behind=left,
            drift=_drift(known, found, policy),
            held=self._held(wanted.app),
        )

    def _changes(
        self, wanted: DesiredApp, rendered: Rendered, known: ObservedApp | None, applied: Applied | None
    ) -> tuple[tuple[Change, ...], tuple[Drift, ...]]:
        """Intended changes in declared order, and what a look found changed by others."""
        looks = self._given.looks.get((self._host, wanted.app), {})
        if known is None and not looks and not self._forms:
            return self._comparer.all_unseen(rendered.resources), ()
        if known is not None and why_due(wanted, known, self._given.secrets) is Due.DRIFTED:
            return (), ()
        owned = applied.resources if applied else {}
        rotation = self._rotation(wanted, known, applied)
        settled = known is not None and known.digest == wanted.digest
        steady = rotation is None
        past = self._past_of(applied)
        changes: list[Change] = []
        drift: list[Drift] = []
        for resource in rendered.resources:
            name = resource.id
            look = looks.get(name)
            before = owned.get(name)
            if before == resource.fingerprint and steady and look is None and not resource.unknown:
                continue
            source = applied if before is not None else self._other_owner(wanted.app, name)
            if source is None:
                change = self._comparer.found(resource, look, self._failed(wanted.app, resource.name, known))
            elif settled and resource.unknown and rotation is None:
                change = None
            else:
                of_source = past if source is applied else self._past_of(source)
                change = self._comparer.owned(resource, before or source.resources[name], of_source, rotation, look)
                if change is None and look is not None and look.action in _DRIFTED:
                    drift.append(Drift(name, look.action, look.differences, drift_text(look, resource.fields)))
            if change is not None:
                changes.append(change)
        return tuple(changes), tuple(drift)

    def _failed(self, app: str, resource: str, known: ObservedApp | None) -> str:
        """Why the last run failed on a resource; empty where it did not."""
        if known is None or not known.error:
            return ""
        place = f"{Place(host=self._host, app=app, resource=resource)}: "
        lines = known.error.splitlines()
        return next((line.removeprefix(place) for line in lines if line.startswith(place)), "")

    def _prune(
        self, app: str, wanted: Collection[str], applied: Applied, prune: PrunePolicy
    ) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """What is ours and not wanted any more: deletes, last declared first, and what stays behind."""
        gone = applied.resources.keys() - wanted
        if not gone:
            return (), ()
        past = self._renderings.past(applied)
        order = {resource: index for index, resource in enumerate(past)}
        deletes: list[Change] = []
        left: list[str] = []
        for resource in sorted(gone, key=lambda name: (order.get(name, -1), name), reverse=True):
            old = past.get(resource)
            if leaves_nothing(resource, old):
                continue
            reason = why_it_stays(resource, old, applied, prune, self._moves_to(app, resource))
            if reason:
                left.append(reason)
            else:
                deletes.append(self._comparer.leaving(resource, applied.resources[resource]))
        return tuple(deletes), tuple(sorted(left))

    def _leaving_app(self, app: str) -> AppPlan:
        known_host = self._past.host(self._host)
        source = known_host[0] if known_host else self._host
        held = self._held(app)
        applied = self._given.applied.get((source, app))
        if applied is None:
            return AppPlan(self._host, app, left_behind=("what it owns is not known here",), held=held)
        bundle = self._renderings.bundle(applied.bundle)
        policy = prune_policy(bundle.content.get("policy") if bundle else None)
        deletes, left = self._prune(app, (), applied, policy)
        return AppPlan(self._host, app, changes=deletes, left_behind=left, held=held)

    def _rotation(self, wanted: DesiredApp, known: ObservedApp | None, applied: Applied | None) -> Rotation | None:
        """What happened to the app's secrets since they were applied; None where they are the same."""
        if not wanted.secrets or known is None or applied is None:
            return None
        secrets = self._given.secrets
        now = secrets.get((self._host, wanted.app), "") if secrets is not None else None
        if now == known.secrets:
            return None
        both = bool(now and known.secrets)
        if both and applied.values != wanted.values:
            read = {path for resource in self._renderings.past(applied).values() for path in resource.secrets}
            both = read == set(wanted.secrets)
        return Rotation(both, wanted.secrets)

    def _past_of(self, applied: Applied | None) -> Before:
        return partial(self._renderings.past, applied) if self._given.texts else dict

    @cached_property
    def _forms(self) -> Mapping[str, Applied]:
        """What was last applied on this host, by the names under which apps are known."""
        known = self._past.host(self._host)
        if known is None:
            return {}
        name, found = known
        return {app: form for app in sorted(found.apps) if (form := self._given.applied.get((name, app)))}

    def _other_owner(self, app: str, resource: str) -> Applied | None:
        """The other app of this host that owns the resource so far."""
        own = self._past.names(self._host, app)
        forms = (form for name, form in self._forms.items() if name not in own and resource in form.resources)
        return next(forms, None)

    def _moves_to(self, app: str, resource: str) -> str | None:
        """The other app of this host that wants the resource now."""
        for other in sorted(self._desired):
            rendered = self._render(other) if other != app else None
            if rendered is not None and any(found.id == resource for found in rendered.resources):
                return other
        return None

    def _render(self, app: str) -> Rendered | None:
        if app not in self._rendered:
            self._rendered[app] = self._renderings.wanted(self._desired[app])
        return self._rendered[app]

    def _held(self, app: str) -> str:
        return held_back(self._given, self._past, self._host, app)

    def _check_claims(self, due_apps: Sequence[str]) -> None:
        """Two apps must not claim one place; the composer saw to claims that every host of an app makes."""
        if not any(self._renderings.may_surprise(self._desired[app].bundle) for app in due_apps):
            return
        owners: dict[str, str] = {}
        for app in sorted(self._desired):
            rendered = self._render(app)
            for resource in rendered.resources if rendered else ():
                owner = owners.setdefault(resource.id, app) if claims_a_place(resource.id) else app
                if owner != app:
                    message = f"{resource.id} is claimed by {owner} and {app}, both on {self._host}"
                    place = Place(app=app, resource=resource.id)
                    hint = "One app owns it; drop it from the other."
                    self._renderings.note(Problem(place, message, hint, "double-claim"), self._host)


_DRIFTED = frozenset({"add", "change", "delete"})
"""Actions of a look at something whose fingerprint did not change: others changed it."""


def _drift(known: ObservedApp | None, found: tuple[Drift, ...], policy: Mapping[str, Any] | None) -> tuple[Drift, ...]:
    """Drift as last reported, with what a look has just found; none where the app ignores it."""
    reported = known.drift if known else ()
    if not (found or reported) or (policy and policy.get("drift") == DriftPolicy.IGNORE.value):
        return ()
    fresh = {drift.resource for drift in found}
    return tuple(sorted([*(d for d in reported if d.resource not in fresh), *found], key=lambda drift: drift.resource))
