"""What some nodes see of a host's values. Nodes that read the same paths share one, with all that is made of it.

Made by the renderer for each host; a node itself is rendered by `Expansion`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.expansion import View
from reconciler.rendering.reads import ABSENT, ReadPath, look_up, pick
from reconciler.rendering.scope import Scope
from reconciler.rendering.secret import declared, secrets_in
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """What a rendering is asked for with."""

    sandbox: Sandbox
    values: Mapping[str, Any]
    names: Collection[str]
    """Names of the app's config for hints, where the values hold only some."""
    secrets: Mapping[str, str] | None

    def view(self, picked: Mapping[str, Any], *, clear: bool) -> View:
        """A view of some of the values; `clear`: with the secrets too."""
        names = frozenset(self.values.get("config") or ()) | frozenset(self.names)
        opaque = Scope.of(self.sandbox, picked, names, None)
        return View(opaque, Scope.of(self.sandbox, picked, names, self.secrets) if clear else None)


class Sight:
    """The values at some paths."""

    def __init__(self, given: Given, reads: tuple[ReadPath, ...]) -> None:
        self._given = given
        self._reads = reads

    @cached_property
    def key(self) -> tuple[str | int | bytes | None, ...]:
        """Equal exactly where all values are equal and of equal types."""
        values = self._given.values
        return tuple([_key(look_up(values, path)) for path in self._reads])

    @cached_property
    def picked(self) -> Mapping[str, Any]:
        """The values, in the shape in which they were given."""
        return pick(self._given.values, self._reads)

    @cached_property
    def holds_secrets(self) -> bool:
        """Whether some of the values refer to secrets."""
        return bool(secrets_in(declared(self.picked)))

    @cached_property
    def opaque(self) -> View:
        """What can be seen without secrets."""
        return self._given.view(self.picked, clear=False)

    @cached_property
    def clear(self) -> View:
        """What can be seen with the secrets."""
        return self._given.view(self.picked, clear=True)


def _key(value: Any) -> str | int | bytes | None:
    if type(value) is str or type(value) is int:
        return value
    return None if value is ABSENT else canonical(value)
