"""What an app's values on a host are made from, before they are cut and written.

Handed from the composition to the writer of values, and kept: unchanged ground means unchanged values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from reconciler.model.manifests import Host
from reconciler.planner.resolver import Merged
from reconciler.resources.values import dataclass

Facts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The sources of an app's values on a host. Unchanged sources are the same objects from revision to revision."""

    host: Host
    config: Merged
    vars: Merged
    facts: Facts | None

    def same(self, other: Ground, *, with_facts: bool) -> bool:
        """Whether both give the same values to a bundle, as far as this host is concerned."""
        return (
            self.host is other.host
            and self.config is other.config
            and self.vars is other.vars
            and (not with_facts or self.facts is other.facts or self.facts == other.facts)
        )
