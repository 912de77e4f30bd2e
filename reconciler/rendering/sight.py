"""What some nodes see of a host's values. Nodes that read the same paths share one, with all that is made of it.

Made by the renderer for each host; a node itself is rendered by `Expansion`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from reconciler.model.canonical import canonical
from reconciler.rendering.blanks import Blank, Words, may_be_blank
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


Looks: TypeAlias = frozenset[int]
"""Numbers of the read paths whose values are looked at, and not only printed."""


class Sight:
    """The values at some paths."""

    def __init__(self, given: Given, reads: tuple[ReadPath, ...]) -> None:
        self._given = given
        self._reads = reads
        self._blanked: dict[Looks, Blanked] = {}

    def blanked(self, looks: Looks) -> Blanked:
        """The values with blanks for those that are only printed."""
        found = self._blanked.get(looks)
        if found is None:
            found = self._blanked[looks] = Blanked.of(self._given, self._reads, looks)
        return found

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


@dataclass(frozen=True)
class Blanked:
    """The values at some paths, with blanks for those that are only printed."""

    given: Given
    reads: tuple[ReadPath, ...]
    key: tuple[str | int | bytes | None, ...]
    """Equal exactly where all values but those behind blanks are equal and of equal types."""
    looks: Looks
    numbers: tuple[int, ...]
    """Which of the reads are blanks."""
    words: Words

    @classmethod
    def of(cls, given: Given, reads: tuple[ReadPath, ...], looks: Looks) -> Blanked:
        key: list[str | int | bytes | None] = []
        numbers: list[int] = []
        words: list[str] = []
        for number, path in enumerate(reads):
            value, cut = look_up(given.values, path)
            if cut and number not in looks and may_be_blank(value):
                numbers.append(number)
                words.append(value)
                key.append(_BLANK)
            else:
                key.append(_key(value))
        return cls(given, reads, tuple(key), looks, tuple(numbers), Words.of(words))

    @cached_property
    def picked(self) -> Mapping[str, Any]:
        """The values, in the shape in which they were given."""
        picked = pick(self.given.values, self.reads)
        for blank, number in enumerate(self.numbers):
            *above, last = self.reads[number]
            target: Any = picked
            for name in above:
                target = target[name]
            target[last] = Blank.of(blank)
        return picked

    @cached_property
    def view(self) -> View:
        """What can be seen without secrets, with the blanks; nodes that share it render a template once."""
        return self.given.view(self.picked, clear=False)

    def behind(self, blanks: Iterable[int]) -> Looks:
        """The reads behind some blanks, or behind all of them where none are given."""
        return frozenset([self.numbers[blank] for blank in blanks] or self.numbers)


_BLANK = b""
"""In a key: no JSON is empty."""


def _key(value: Any) -> str | int | bytes | None:
    if type(value) is str or type(value) is int:
        return value
    return None if value is ABSENT else canonical(value)
