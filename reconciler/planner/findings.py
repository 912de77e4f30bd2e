"""Collects the problems of a composition: each once, with one host as the example, at its place in a manifest.

Called by the composer; the same mistake in a template shows on thousands of hosts, and people want to read it once.
"""

from __future__ import annotations

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.model.manifests import App, Block, ResourceTemplate
from reconciler.model.metadata import Path
from reconciler.planner.recipes import Recipe
from reconciler.planner.resolver import Locate
from reconciler.rendering import RenderFailed


class Findings:
    """The problems of one composition."""

    def __init__(self, locate: Locate) -> None:
        self.locate = locate
        self.problems: list[Problem] = []
        self._seen: set[tuple[Place, str]] = set()

    def add(self, problem: Problem, cause: object = None) -> None:
        """Note a problem, unless one with the same cause (default: its message) was noted for the same place."""
        key = (problem.place, str(cause or problem.message))
        if key not in self._seen:
            self._seen.add(key)
            self.problems.append(problem)

    def of_app(self, error: InvalidInput, recipe: Recipe, host: str) -> None:
        """Note what composing the app for this host brought to light."""
        if isinstance(error, RenderFailed):
            for fault in error.faults:
                place = fault.problem.place if fault.problem.place.file else self._place(recipe.app, fault.path)
                self._add_of_app(fault.problem, place, recipe, host)
        else:
            for problem in error.problems:
                self._add_of_app(problem, problem.place, recipe, host)

    def _add_of_app(self, problem: Problem, place: Place, recipe: Recipe, host: str) -> None:
        message = with_subject(problem.message, recipe.name, host)
        self.add(Problem(place, message, problem.hint, problem.code), message.replace(host, "HOST"))

    def _place(self, app: App, path: Path) -> Place:
        return self.locate(app.metadata.origin, manifest_path(app, path))

    def raise_all(self) -> None:
        """End the composition if anything was found.

        Raises:
            InvalidInput: with all problems.
        """
        if self.problems:
            raise InvalidInput(self.problems)


def with_subject(message: str, app: str, host: str) -> str:
    """The message with the host named after the app; a rendering that does not read the host's name cannot name it."""
    if host in message:
        return message
    for known in (f" for {app}", f"({app}"):
        if known in message:
            return message.replace(known, f"{known} on {host}", 1)
    return f"{message} for {app} on {host}"


def manifest_path(app: App, path: Path) -> Path:
    """From a place in a bundle's content to the place in the app's manifest that it was made of."""
    part, index, *rest = path
    if part != "resources":
        return ("spec", *path)
    node = app.resources[int(index)]
    while isinstance(node, Block) and rest[:1] == ["block"]:
        node, rest = node.resources[int(rest[1])], rest[2:]
    if isinstance(node, ResourceTemplate) and rest[:1] == ["fields"]:
        rest[0] = node.kind
    return (*node.path, *rest)
