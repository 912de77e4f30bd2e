"""What a plan is made of, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from reconciler.model.desired import Bundle, Desired
from reconciler.model.manifests import Manifests
from reconciler.model.observed import Applied, ObservedHost
from reconciler.planner.due import SecretPrints
from reconciler.planner.scope import WHOLE_FLEET, Scope
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.values import dataclass

Pair: TypeAlias = tuple[str, str]
"""(host, app)"""


@dataclass(frozen=True, slots=True)
class PlanInput:
    """All that a plan is made of. Maps by pair need to hold only the pairs that `due` gives for the same state."""

    manifests: Manifests
    desired: Desired
    observed: Mapping[str, ObservedHost]
    applied: Mapping[Pair, Applied]
    bundles: Mapping[str, Bundle]
    """Bundles by sha, those last applied too; where one is missing, a change is shown without its text."""
    secrets: SecretPrints | None
    """Keyed fingerprints as of now; None: no key is at hand."""
    looks: Mapping[Pair, Mapping[str, ResourceEvent]]
    """What an inspection found, by resource id."""
    now: datetime
    scope: Scope = WHOLE_FLEET
    due: tuple[Pair, ...] | None = None
    """What `due` gives for the same state, where the caller has asked for it already."""
    texts: bool = True
    """Whether changes carry diffs. A loop that acts on the plan and shows it to nobody saves rendering what was."""
