"""What a part of a bundle comes to on all hosts that differ only in words that it prints: made once, filled for each.

Used by the renderer, which remembers moulds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

from reconciler.rendering.blanks import Fill, Pattern, Words, filling
from reconciler.rendering.rendered import Form, RenderedResource, sha256_of
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Mould:
    """Resources, health checks or metrics."""

    items: tuple[Any, ...]
    """Those without blanks, the same objects for all hosts; None in the place of the others."""
    fills: tuple[tuple[int, int, Fill], ...] = ()
    """Of checks and metrics: place among the items, which of several words it is made of, and what makes it."""
    forms: tuple[tuple[int, int, Form], ...] = ()
    """Of resources, likewise."""
    wanted: Pattern | None = None
    """Makes the texts that the fingerprints of these resources are taken of, a line each: JSON has no line in it."""

    @classmethod
    def of(cls, found: Iterable[Any]) -> Mould:
        """The mould of what was rendered with blanks."""
        items: list[Any] = []
        fills: list[tuple[int, int, Fill]] = []
        forms: list[tuple[int, int, Form]] = []
        for place, each in enumerate(found):
            item = None
            if isinstance(each, Form):
                form = each.with_blanks()
                if form.wanted:
                    forms.append((place, 0, form))
                else:
                    item = RenderedResource(form)
            elif fill := filling(each):
                fills.append((place, 0, fill))
            else:
                item = each
            items.append(item)
        return cls(tuple(items), tuple(fills), tuple(forms), _lines(forms, (0,)))

    @classmethod
    def joined(cls, moulds: Iterable[tuple[Mould, int]], sizes: Sequence[int]) -> Mould:
        """One mould after the other, each with which of several words it is made of; sizes: how many each has."""
        items: list[Any] = []
        fills: list[tuple[int, int, Fill]] = []
        forms: list[tuple[int, int, Form]] = []
        for mould, number in moulds:
            fills += [(len(items) + place, number, fill) for place, _, fill in mould.fills]
            forms += [(len(items) + place, number, form) for place, _, form in mould.forms]
            items += mould.items
        return cls(tuple(items), tuple(fills), tuple(forms), _lines(forms, list(accumulate(sizes, initial=0))))

    def filled(self, words: Sequence[Words]) -> tuple[Any, ...]:
        """What it is on one host."""
        found = list(self.items)
        for place, number, fill in self.fills:
            found[place] = fill(words[number])
        if self.wanted:
            written = words[0].written if len(words) == 1 else tuple(chain(*[each.written for each in words]))
            texts = self.wanted.filled(written).encode().split(b"\n")
            for (place, number, form), text in zip(self.forms, texts, strict=True):
                found[place] = RenderedResource(form, words[number], sha256_of(text))
        return tuple(found)


def _lines(forms: Iterable[tuple[int, int, Form]], before: Sequence[int]) -> Pattern | None:
    patterns = [(form.wanted, before[number]) for _, number, form in forms if form.wanted]
    return Pattern.lines(patterns) if patterns else None
