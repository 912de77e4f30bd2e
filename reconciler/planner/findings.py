"""Collects the problems of a composition: each once, with one host as the example, at its place in a manifest.

Called by the composer; the same mistake in a template shows on thousands of hosts, and people want to read it once.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.planner.recipes import Recipe
from reconciler.planner.resolver import Locate


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

    def of_app(self, problems: Iterable[Problem], recipe: Recipe, host: str) -> None:
        """Note what a rendering of the app on this host brought to light."""
        for problem in problems:
            self.add(self._explained(problem, recipe, host), problem.message.replace(host, "HOST"))

    def raise_all(self) -> None:
        """End the composition if anything was found.

        Raises:
            InvalidInput: with all problems.
        """
        if self.problems:
            raise InvalidInput(self.problems)

    def _explained(self, problem: Problem, recipe: Recipe, host: str) -> Problem:
        subject = f"{recipe.name} on {host}"
        message = problem.message if host in problem.message else f"{problem.message} for {subject}"
        return Problem(problem.place, message, problem.hint, problem.code)
