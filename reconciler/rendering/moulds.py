"""What a part of a bundle comes to on all hosts that differ only in words that it prints: made once, filled for each.

Used by the renderer, which remembers moulds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from reconciler.rendering.blanks import Fill, Words, filling
from reconciler.rendering.rendered import Form, RenderedResource
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Mould:
    """Resources, health checks or metrics."""

    items: tuple[Any, ...]
    """Those without blanks, the same objects for all hosts; None in the place of the others."""
    fills: tuple[tuple[int, int, Fill], ...]
    """Place among the items, which of several words it is made of, and what makes it."""

    @classmethod
    def of(cls, found: Iterable[Any]) -> Mould:
        """The mould of what was rendered with blanks."""
        made = [_item(each) for each in found]
        fills = tuple([(place, 0, fill) for place, (_, fill) in enumerate(made) if fill])
        return cls(tuple([item for item, _ in made]), fills)

    @classmethod
    def joined(cls, moulds: Iterable[tuple[Mould, int]]) -> Mould:
        """One mould after the other, each with which of several words it is made of."""
        items: list[Any] = []
        fills: list[tuple[int, int, Fill]] = []
        for mould, number in moulds:
            fills += [(len(items) + place, number, fill) for place, _, fill in mould.fills]
            items += mould.items
        return cls(tuple(items), tuple(fills))

    def filled(self, words: Sequence[Words]) -> tuple[Any, ...]:
        """What it is on one host."""
        if not self.fills:
            return self.items
        found = list(self.items)
        for place, number, fill in self.fills:
            found[place] = fill(words[number])
        return tuple(found)


def _item(found: Any) -> tuple[Any, Fill | None]:
    """Either what was found, or what makes it."""
    if not isinstance(found, Form):
        return found, filling(found)
    form = found.with_blanks()
    if form.fill_fields or form.fill_wanted:
        return None, partial(RenderedResource, form)
    return RenderedResource(form), None
