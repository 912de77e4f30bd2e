"""Renderings for one plan: what is wanted, with problems collected; what was last applied, where its bundle is at hand.

Called by `diff`. How a bundle renders, and what is remembered of that, is the rendering room's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.model.desired import Bundle, DesiredApp
from reconciler.model.observed import Applied
from reconciler.planner.claims import has_loose_claims
from reconciler.rendering import Rendered, RenderedResource, Renderer

Renderers: TypeAlias = Callable[[Bundle], Renderer]

_NOTHING: Mapping[str, RenderedResource] = {}


class Renderings:
    """Renders opaquely; a problem is noted once for all hosts."""

    def __init__(self, bundles: Mapping[str, Bundle], renderers: Renderers) -> None:
        self._bundles = bundles
        self._renderers = renderers
        self._surprising: dict[str, bool] = {}
        self._problems: dict[tuple[Place, str], Problem] = {}
        self._last_past: tuple[Applied | None, Mapping[str, RenderedResource]] = (None, _NOTHING)

    def wanted(self, app: DesiredApp) -> Rendered | None:
        """The rendering of an app on a host; None, with the problems noted, where it has none."""
        try:
            return self._renderers(self._bundles[app.bundle]).render(json.loads(app.values), host=app.host)
        except InvalidInput as error:
            for problem in error.problems:
                self.note(problem, app.host)
            return None

    def past(self, applied: Applied | None) -> Mapping[str, RenderedResource]:
        """Resource id -> how it was rendered when it was last applied; empty where that cannot be told."""
        if self._last_past[0] is not applied:  # asked for each resource of an app in turn
            self._last_past = applied, self._rendered_past(applied) if applied else _NOTHING
        return self._last_past[1]

    def _rendered_past(self, applied: Applied) -> Mapping[str, RenderedResource]:
        bundle = self._bundles.get(applied.bundle)
        if bundle is None:
            return _NOTHING
        try:
            values = json.loads(applied.values)
            rendered = self._renderers(bundle).render(values) if _has_parts(values) else None
        except (InvalidInput, ValueError, RecursionError):
            return _NOTHING
        return {resource.id: resource for resource in rendered.resources} if rendered else _NOTHING

    def bundle(self, sha: str) -> Bundle | None:
        return self._bundles.get(sha)

    def may_surprise(self, sha: str) -> bool:
        """Whether only a rendering tells which places on a host the bundle claims."""
        if sha not in self._surprising:
            self._surprising[sha] = has_loose_claims(self._bundles[sha])
        return self._surprising[sha]

    def note(self, problem: Problem, host: str) -> None:
        """Note a problem that shows on a host, unless it showed on another one before."""
        self._problems.setdefault((problem.place, problem.message.replace(host, "HOST")), problem)

    def raise_all(self) -> None:
        """Raises:
        InvalidInput: something wanted cannot be rendered, or must not be.
        """
        if self._problems:
            raise InvalidInput(self._problems.values())


def _has_parts(values: Any) -> bool:
    """Whether values look like those of an app: what was applied is told by the host, which may have made it up."""
    return isinstance(values, dict) and all(part is None or isinstance(part, dict) for part in values.values())
