"""A look at one wanted resource: what is there, what differs, and whether it may be touched.

Used by applying and by looking alike, so that both say the same.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Optional

from reconciler.resources.applying.holdings import Held
from reconciler.resources.failure import Failure
from reconciler.resources.kinds.registry import Item, with_context
from reconciler.resources.kinds.resource import Difference, Resource
from reconciler.resources.machine.system import System
from reconciler.resources.values import dataclass


@dataclass(frozen=True)
class Finding:
    """What a look found."""

    item: Item
    resource: Resource
    held: Optional[Held]
    actual: Any
    difference: Difference
    refusal: Optional[Failure] = None
    """Why it must not be changed."""

    @property
    def before(self) -> Optional[str]:
        """The text before a change, unless it may hold a secret."""
        return None if self.item.wanted.sensitive or not self.difference else self.resource.before(self.actual)


def survey(item: Item, held: Optional[Held], declared: FrozenSet[str], adopt: str, system: System) -> Finding:
    """Look at a resource.

    Raises:
        Failure, OSError: it cannot be looked at.
    """
    resource = with_context(item, held.owned if held else None, declared, replaces=adopt == "replace")
    actual = resource.inspect(system)
    difference = resource.difference(actual)
    foreign = bool(difference) and resource.exclusive and actual is not None and not resource.absent
    ours = held is not None and held.present
    refusal = None
    if foreign and not ours and adopt != "replace" and not resource.untouched(system, actual):
        what = resource.place or item.id
        refusal = Failure("not-ours", f"{what} exists, differs and is not ours", "Take over: adopt: replace")
    return Finding(item, resource, held, actual, difference, refusal)
