"""An app ready to be composed for any host: its bundle, the renderer of that, and what it reads.

Built by the composer, kept from one revision to the next while neither the manifest nor a template changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from reconciler.errors import InvalidInput, Problem
from reconciler.model.desired import Bundle
from reconciler.model.manifests import App
from reconciler.model.metadata import Path
from reconciler.planner.bundles import pack
from reconciler.planner.claims import fixed_claims
from reconciler.planner.config import secret_paths
from reconciler.planner.reads import Reads
from reconciler.rendering import Renderer
from reconciler.resources.values import dataclass, replace

_EXPRESSION = re.compile(r"\{[{%][^%}]*+(?:[%}](?!\})[^%}]*+)*+|\"(?:when|forEach)\": *\"[^\"]*\"")
"""What stands in a template's brackets, closed or not, and conditions and loops of resources, which have none."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """All of an app that is the same on every host."""

    name: str
    app: App
    bundle: Bundle
    renderer: Renderer
    reads: Reads
    secrets: tuple[str, ...]
    """Paths of secrets that resources name themselves."""
    renders_secrets: bool
    """Some of these paths hold `{{ }}`: only a rendering tells which secrets it needs."""
    claims: Mapping[str, Path]
    """Ids of the resources that claim a place on every host of the app."""
    asks_config: bool
    """Some template may read the config of other hosts, so that `hosts()` has to freeze it too."""


class Recipes:
    """Makes recipes, and keeps those of the last revision."""

    def __init__(self, renderer: Callable[[Bundle], Renderer]) -> None:
        self._renderer = renderer
        self._last: dict[str, Recipe] = {}
        self._templates: Mapping[str, str] = {}
        self._reads: dict[frozenset[tuple[str, ...]], Reads] = {}

    def of(
        self, apps: Mapping[str, App], templates: Mapping[str, str], problems: list[Problem]
    ) -> Mapping[str, Recipe]:
        """App -> recipe, without the apps that cannot have one; why not is added to `problems`."""
        same_templates = templates == self._templates
        made: dict[str, Recipe] = {}
        for name, app in apps.items():
            last = self._last.get(name)
            if last is not None and last.app is app and same_templates:
                made[name] = last
                continue
            try:
                made[name] = self._recipe(app, pack(app, templates), last)
            except InvalidInput as error:
                problems.extend(error.problems)
        self._last, self._templates = made, templates
        self._reads = {recipe.renderer.reads: recipe.reads for recipe in made.values()}
        return made

    def _recipe(self, app: App, bundle: Bundle, last: Recipe | None) -> Recipe:
        if last is not None and last.bundle.sha == bundle.sha:
            return last if last.app is app else replace(last, app=app, claims=fixed_claims(app))
        renderer = self._renderer(bundle)
        reads = self._reads.setdefault(renderer.reads, Reads.of(renderer.reads))
        named = sorted(set(secret_paths([bundle.content["resources"], bundle.content["health"]])))
        plain = tuple(path for path in named if "{{" not in path)
        return Recipe(
            name=app.name,
            app=app,
            bundle=bundle,
            renderer=renderer,
            reads=reads,
            secrets=plain,
            renders_secrets=len(plain) < len(named),
            claims=fixed_claims(app),
            asks_config=_asks_config(bundle),
        )


def _asks_config(bundle: Bundle) -> bool:
    """Whether the word `config` stands in any expression. Only what names it can read it."""
    content = bundle.content
    templates: Mapping[str, str] = content["templates"]
    texts = [*templates.values(), json.dumps([content["resources"], content["health"], content.get("metrics")])]
    suspects = [text for text in texts if "config" in text]
    return any("config" in expression for text in suspects for expression in _EXPRESSION.findall(text))
