"""An app ready to be composed for any host: its bundle, the renderer of that, and what it reads.

Built by the composer, kept from one revision to the next while neither the manifest nor a template changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import InvalidInput, Problem
from reconciler.model.desired import Bundle
from reconciler.model.manifests import App, Path
from reconciler.planner.bundles import pack
from reconciler.planner.claims import fixed_claims
from reconciler.planner.config import secret_paths
from reconciler.planner.reads import Reads
from reconciler.planner.resolver import Locate
from reconciler.rendering import Renderer

_EXPRESSION = re.compile(r"\{[{%].*?[%}]\}|\"(?:when|forEach)\": *\"[^\"]*\"", re.DOTALL)
"""What stands in a template's brackets, and conditions and loops of resources, which have none."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """All of an app that is the same on every host."""

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

    @property
    def name(self) -> str:
        return self.app.metadata.name


class Recipes:
    """Makes recipes, and keeps those of the last revision."""

    def __init__(self) -> None:
        self._last: dict[str, Recipe] = {}
        self._reads: dict[frozenset[tuple[str, ...]], Reads] = {}

    def of(
        self, apps: Mapping[str, App], templates: Mapping[str, str], locate: Locate, problems: list[Problem]
    ) -> Mapping[str, Recipe]:
        """App -> recipe, without the apps that cannot have one; why not is added to `problems`."""
        made: dict[str, Recipe] = {}
        for name, app in apps.items():
            try:
                made[name] = self._recipe(app, templates, locate)
            except InvalidInput as error:
                problems.extend(error.problems)
        self._last = made
        self._reads = {key: reads for key, reads in self._reads.items() if any(reads is r.reads for r in made.values())}
        return made

    def _recipe(self, app: App, templates: Mapping[str, str], locate: Locate) -> Recipe:
        last = self._last.get(app.metadata.name)
        if last is not None and last.app is app and _still(last.bundle, templates):
            return last
        packed = pack(app, templates, locate)
        if packed.problems:
            raise InvalidInput(packed.problems)
        same = last is not None and last.bundle.sha == packed.bundle.sha
        renderer = last.renderer if last is not None and same else Renderer(packed.bundle)
        reads = self._reads.setdefault(renderer.reads, Reads.of(renderer.reads))
        named = sorted(set(secret_paths([packed.bundle.content["resources"], packed.bundle.content["health"]])))
        plain = tuple(path for path in named if "{{" not in path)
        return Recipe(
            app,
            packed.bundle,
            renderer,
            reads,
            plain,
            len(plain) < len(named),
            fixed_claims(app),
            _asks_config(packed.bundle),
        )


def _still(bundle: Bundle, templates: Mapping[str, str]) -> bool:
    """Whether all that the bundle took from the templates stands there unchanged."""
    taken: Mapping[str, str] = bundle.content["templates"]
    return all(templates.get(name) == text for name, text in taken.items())


def _asks_config(bundle: Bundle) -> bool:
    """Whether the word `config` stands in any expression. Only what names it can read it."""
    content = bundle.content
    templates: Mapping[str, str] = content["templates"]
    texts = [*templates.values(), json.dumps([content["resources"], content["health"]])]
    return any("config" in expression for text in texts for expression in _EXPRESSION.findall(text))
