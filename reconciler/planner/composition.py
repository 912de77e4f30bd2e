"""One pass over all hosts: what still holds of the last revision is taken over, the rest is composed.

Made by `Composer` for each revision; keeps what the next pass may take over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.errors import InvalidInput
from reconciler.model.desired import DesiredApp, app_digest
from reconciler.model.manifests import Host
from reconciler.planner.checks import layer_problems
from reconciler.planner.findings import Findings
from reconciler.planner.fleet import Fleet
from reconciler.planner.grounds import Facts, Ground
from reconciler.planner.placement import Standing
from reconciler.planner.recipes import Recipe
from reconciler.planner.resolver import Merged
from reconciler.planner.values import Part, Values, ValuesWriter
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """What hosts of one standing have in common."""

    recipes: tuple[Recipe, ...]
    configs: tuple[Merged, ...]
    """The config of each recipe's app, before a host has its say."""
    vars: Merged

    def shared(self, other: _Terms) -> frozenset[str]:
        """Apps for which both say the same."""
        if self.vars is not other.vars:
            return frozenset()
        others = dict(zip(other.recipes, other.configs, strict=True))
        mine = zip(self.recipes, self.configs, strict=True)
        return frozenset(recipe.name for recipe, config in mine if others.get(recipe) is config)


@dataclass(slots=True)
class _ComposedApp:
    """An app on a host, with what it was made from."""

    recipe: Recipe
    ground: Ground
    values: Values
    desired: DesiredApp


@dataclass(slots=True)
class _ComposedHost:
    """A host without problems."""

    host: Host
    terms: _Terms
    facts: Facts | None
    apps: Mapping[str, _ComposedApp]
    desired: Mapping[str, DesiredApp]
    readers: tuple[DesiredApp, ...]
    """Those of its apps that need secrets."""
    volatile: bool
    """Something in it comes from facts or from other hosts."""


@dataclass(slots=True)
class Composed:
    """What a pass leaves to the next."""

    terms: dict[Standing, _Terms] = field(default_factory=dict)
    hosts: dict[str, _ComposedHost] = field(default_factory=dict)
    rendered: set[str] = field(default_factory=set)
    """Bundles that were rendered for some host without a problem."""


class Composition:
    """Composes the hosts of one revision."""

    def __init__(
        self,
        fleet: Fleet,
        recipes: Mapping[str, Recipe],
        facts: Mapping[str, Facts | None],
        writer: ValuesWriter,
        findings: Findings,
        *,
        before: Composed,
    ) -> None:
        self._fleet = fleet
        self._recipes = recipes
        self._facts = facts
        self._writer = writer
        self._findings = findings
        self._before = before
        self._steady: dict[_Terms, tuple[_Terms, frozenset[str]]] = {}
        """New terms -> those of the last pass, and the apps for which nothing changed in between."""
        self.readers: list[DesiredApp] = []
        """Apps on hosts that need secrets, so far."""
        self.composed = Composed(rendered=before.rendered & {recipe.bundle.sha for recipe in recipes.values()})

    def hosts(self) -> Mapping[str, Mapping[str, DesiredApp]]:
        """Host -> its apps; those that have a problem are missing, and the problem is noted."""
        standings, before = self._fleet.standings, self._before.hosts
        terms = {standing: self._common(standing) for standing in dict.fromkeys(standings.values())}
        found: dict[str, Mapping[str, DesiredApp]] = {}
        for name, host in self._fleet.hosts.items():
            known = before.get(name)
            own = terms[standings[name]]
            if (
                known is not None
                and known.host is host
                and known.terms is own
                and (not known.volatile or self._holds(known, name))
            ):
                self.composed.hosts[name] = known
            else:
                known = self._host(host, own, known)
            found[name] = known.desired
            if known.readers:
                self.readers += known.readers
        return found

    def _host(self, host: Host, terms: _Terms, before: _ComposedHost | None) -> _ComposedHost:
        """The host composed anew; it is remembered where it has no problem."""
        name = host.metadata.name
        facts = self._facts.get(name)
        apps = self._apps(host, terms, facts, before)
        desired = {app: composed.desired for app, composed in apps.items()}
        readers = tuple(app for app in desired.values() if app.secrets)
        made = _ComposedHost(host, terms, facts, apps, desired, readers, _volatile(apps))
        if len(apps) == len(terms.recipes) and self._sound(terms.vars, None, host):
            self.composed.hosts[name] = made
        return made

    def _common(self, standing: Standing) -> _Terms:
        recipes = tuple(self._recipes[app] for app in standing.apps if app in self._recipes)
        configs = tuple(self._fleet.config_below(recipe.name, standing) for recipe in recipes)
        terms = _Terms(recipes, configs, self._fleet.vars_below(standing))
        known = self._before.terms.get(standing)
        if known is not None:
            steady = terms.shared(known)
            if len(steady) == len(known.recipes) == len(recipes) and terms.vars is known.vars:
                terms = known
            self._steady[terms] = known, steady
        self.composed.terms[standing] = terms
        return terms

    def _holds(self, known: _ComposedHost, host: str) -> bool:
        """Whether facts and other hosts, from which a volatile host's values were made, are still the same."""
        return known.facts == self._facts.get(host) and all(
            self._writer.holds(app.values) for app in known.apps.values()
        )

    def _apps(
        self, host: Host, terms: _Terms, facts: Facts | None, known: _ComposedHost | None
    ) -> Mapping[str, _ComposedApp]:
        name = host.metadata.name
        before = known.apps if known is not None else {}
        steady = self._steady_apps(known, host, terms)
        variables = self._fleet.vars(name) if host.vars else terms.vars
        apps: dict[str, _ComposedApp] = {}
        for recipe, below in zip(terms.recipes, terms.configs, strict=True):
            if recipe.name in steady:
                apps[recipe.name] = before[recipe.name]
                continue
            config = self._fleet.config(name, recipe.name) if host.config.get(recipe.name) else below
            composed = self._app(recipe, Ground(host, config, variables, facts), before.get(recipe.name))
            if composed is not None:
                apps[recipe.name] = composed
        return apps

    def _steady_apps(self, known: _ComposedHost | None, host: Host, terms: _Terms) -> frozenset[str]:
        """Apps that can be taken over without another look."""
        last, steady = self._steady.get(terms, (None, frozenset()))
        unmoved = known is not None and known.host is host and known.terms is last and not known.volatile
        return steady if unmoved else frozenset()

    def _app(self, recipe: Recipe, ground: Ground, before: _ComposedApp | None) -> _ComposedApp | None:
        """The app on the host; None where it has a problem, which is noted."""
        values = self._same_values(before, recipe, ground)
        if before is not None and values is before.values and before.recipe is recipe:
            return before
        host = ground.host.metadata.name
        sound = self._sound(ground.config, recipe.name, ground.host)
        try:
            values = values or self._writer.write(recipe, ground, _said_of_host(before, recipe, ground))
            secrets = self._secrets(recipe, values, host)
        except InvalidInput as error:
            self._findings.of_app(error, recipe, host)
            return None
        if not sound:
            return None
        sha = recipe.bundle.sha
        desired = DesiredApp(host, recipe.name, sha, values.text, app_digest(sha, values.text), secrets)
        return _ComposedApp(recipe, ground, values, desired)

    def _same_values(self, before: _ComposedApp | None, recipe: Recipe, ground: Ground) -> Values | None:
        """The values of the last pass, where everything that they were made from is still the same."""
        if before is None or before.recipe.reads is not recipe.reads:
            return None
        if not before.ground.same(ground, with_facts="facts" in recipe.reads.parts):
            return None
        if "hosts" in recipe.reads.parts and before.recipe is not recipe:
            return None
        return before.values if self._writer.holds(before.values) else None

    def _secrets(self, recipe: Recipe, values: Values, host: str) -> tuple[str, ...]:
        """All secrets that the app needs on the host, sorted.

        Where a value is read but absent, the app is rendered: only that tells whether the template is prepared for it.
        So is each bundle once, for what no look at its values can tell, such as an include that is missing.

        Raises:
            InvalidInput: the app cannot be rendered.
        """
        found = recipe.secrets
        if values.absent or recipe.renders_secrets:
            rendered = recipe.renderer.render(json.loads(values.text), host=host, names=recipe.app.config)
            if recipe.renders_secrets:
                found = tuple(path for resource in rendered.resources for path in resource.secrets)
        elif recipe.bundle.sha not in self.composed.rendered:
            recipe.renderer.try_out(json.loads(values.text), host=host, names=recipe.app.config)
        self.composed.rendered.add(recipe.bundle.sha)
        return tuple(sorted({*found, *values.secrets})) if found else values.secrets

    def _sound(self, merged: Merged, app: str | None, host: Host) -> bool:
        """Whether the merged values are whole; what is wrong with them is noted."""
        if not merged.conflicts and not (app and merged.unset):
            return True
        for problem, cause in layer_problems(merged, app, host.metadata.name, self._findings.locate):
            self._findings.add(problem, cause)
        return False


def _said_of_host(before: _ComposedApp | None, recipe: Recipe, ground: Ground) -> Part | None:
    """What the values of the last pass say of the host itself, where that still holds."""
    if before is None or before.recipe.reads is not recipe.reads or before.ground.host is not ground.host:
        return None
    return before.values.host


def _volatile(apps: Mapping[str, _ComposedApp]) -> bool:
    return any(app.values.dependencies or "facts" in app.recipe.reads.parts for app in apps.values())
