"""What happens to a thing of ours that nothing wants any more: removed, or left behind for a reason people read.

Called by `diff`; the engine on the host decides by the same rules from its ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.manifests import PrunePolicy
from reconciler.model.observed import Applied
from reconciler.planner.comparing import is_absent
from reconciler.rendering import RenderedResource

_LEAVE_NOTHING = frozenset({"command"})
"""Kinds that own nothing which could stay or go."""

_STAYS = {"group": "files may belong to it"}
"""Kinds that are never removed unless declared absent, and why."""


def prune_policy(policy: Mapping[str, Any] | None) -> PrunePolicy:
    """The policy of a bundle; where the bundle is not at hand, the default."""
    return PrunePolicy(policy.get("prune", "true")) if policy else PrunePolicy.TRUE


def leaves_nothing(resource: str, old: RenderedResource | None) -> bool:
    """Whether there is nothing to remove and nothing to tell."""
    return resource.partition(":")[0] in _LEAVE_NOTHING or (old is not None and is_absent(old))


def why_it_stays(
    resource: str, old: RenderedResource | None, applied: Applied, prune: PrunePolicy, moves_to: str | None
) -> str:
    """Why the thing is not removed; empty where it is."""
    if moves_to is not None:
        return f"{resource} moves to {moves_to}"
    if old is not None and old.keep:
        return f"{resource} stays (keep: true)"
    if prune is PrunePolicy.FALSE:
        return f"{resource} stays (prune: false)"
    if resource in applied.adopted:
        return f"{resource} stays (it was there before us)"
    kind = resource.partition(":")[0]
    if kind == "package" and prune is not PrunePolicy.ALL:
        return f"{resource} stays (prune: all removes it)"
    return f"{resource} stays ({_STAYS[kind]})" if kind in _STAYS else ""
