"""Manifests to desired state: bundles, each host's own values (only what its bundles read) and their digests.

Called by commands and by the controller's loop, which keep one `Composer`: it remembers the last revision, so that a
change of one file costs what that file touches. Comparing with what hosts look like is `diff`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.desired import Bundle, Desired
from reconciler.model.manifests import Manifests
from reconciler.model.metadata import Value
from reconciler.planner.checks import check_confirm, check_fleet, check_sealing
from reconciler.planner.composition import Composed, Composition
from reconciler.planner.findings import Findings
from reconciler.planner.fleet import Fleet, Memory
from reconciler.planner.recipes import Recipes
from reconciler.planner.resolver import Locate, Resolver, plain
from reconciler.planner.values import ValuesWriter
from reconciler.rendering import ConfigRenderer, Renderer, RenderMemory

_OLD_RENDERERS = 64
"""Renderers of bundles that are not desired now, kept for the text of what was applied before."""


class Composer:
    """Composes revision after revision, each with what it remembers of the one before."""

    def __init__(self) -> None:
        self._config_renderer = ConfigRenderer()
        self._rendered: RenderMemory = {}
        self._recipes = Recipes(self.renderer)
        self._memory = Memory()
        self._composed = Composed()
        self._renderers: dict[str, Renderer] = {}
        self._fleet: Fleet | None = None
        self._resolver: Resolver | None = None

    def compose(
        self, manifests: Manifests, revision: str, facts: Mapping[str, Mapping[str, Any] | None], locate: Locate
    ) -> Desired:
        """The desired state of the whole fleet; hosts that `facts` does not hold have told none yet.

        Raises:
            InvalidInput: with all problems.
        """
        findings = Findings(locate)
        fleet = Fleet(manifests, self._memory, self._config_renderer.is_template)
        recipes = self._recipes.of(fleet.app_manifests, manifests.templates, findings.problems)
        check_fleet(fleet, recipes, findings)
        check_confirm(manifests, fleet, findings)
        resolver = Resolver(fleet, self._config_renderer, locate)
        writer = ValuesWriter(resolver, fleet.token)
        composition = Composition(fleet, recipes, facts, writer, findings, before=self._composed)
        hosts = composition.hosts()
        check_sealing(manifests, hosts, findings)
        self._memory, self._composed = fleet.remember(), composition.composed
        self._fleet, self._resolver = fleet, resolver
        findings.raise_all()
        self._keep_renderers({recipe.bundle.sha: recipe.renderer for recipe in recipes.values()})
        return Desired(
            fleet=manifests.fleet.metadata.name,
            revision=revision,
            hosts=hosts,
            bundles={recipe.bundle.sha: recipe.bundle for recipe in recipes.values()},
            readers=tuple(composition.readers),
            config={name: app.config for name, app in manifests.apps.items()},
            formerly={name: host.metadata.formerly for name, host in fleet.hosts.items() if host.metadata.formerly},
        )

    def config(self, host: str) -> Mapping[str, Mapping[str, Value]]:
        """App -> its whole config on a host of the revision last composed, evaluated; secrets are references."""
        if self._fleet is None or self._resolver is None:
            return {}
        return {app: plain(self._resolver.config(host, app)) for app in self._fleet.apps(host)}

    def renderer(self, bundle: Bundle) -> Renderer:
        """The renderer of a bundle, with all that it remembers of earlier renderings."""
        found = self._renderers.get(bundle.sha)
        if found is None:
            found = self._renderers[bundle.sha] = Renderer(bundle, self._rendered)
        return found

    def _keep_renderers(self, current: dict[str, Renderer]) -> None:
        """The current ones last, and of the others the latest few."""
        others = [item for item in self._renderers.items() if item[0] not in current]
        self._renderers = dict(others[-_OLD_RENDERERS:]) | current
