"""What happens to things that an app owns and does not want any more: removed, or left with a reason. Pure.

Asked by the engine for applying and for looking alike.
"""

from __future__ import annotations

import enum
from typing import AbstractSet, List, Mapping

from reconciler.resources.kinds.registry import KINDS
from reconciler.resources.protocol import Request
from reconciler.resources.records.ledger import AppRecord, Owned
from reconciler.resources.values import dataclass, replace


class Fate(enum.Enum):
    """What becomes of it."""

    REMOVE = "remove"
    LEAVE = "leave"
    """It stays on the host, is nobody's from now on, and people are told."""
    FORGET = "forget"
    """There is nothing to remove and nothing to tell."""
    HOLD = "hold"
    """It stays ours until the app that wants it now takes it over."""


@dataclass(frozen=True)
class Farewell:
    """The fate of one owned thing."""

    key: str
    owned: Owned
    fate: Fate
    reason: str = ""


def as_it_was_applied(request: Request, record: AppRecord) -> Request:
    """A request to remove an app says nothing of how to prune it; what the app itself said last goes."""
    return replace(request, prune=record.prune) if request.remove else request


def farewells(request: Request, owned: Mapping[str, Owned], places: AbstractSet[str]) -> List[Farewell]:
    """What becomes of all that is owned and not wanted, newest first; `places` are the paths that are wanted."""
    wanted = set() if request.remove else {each.id for each in request.resources}
    leaving = [(key, entry) for key, entry in owned.items() if key not in wanted]
    return [_farewell(request, key, entry, places) for key, entry in reversed(leaving)]


def _farewell(request: Request, key: str, owned: Owned, places: AbstractSet[str]) -> Farewell:
    if owned.absent or owned.kind == "command" or (owned.path and owned.path in places):
        return Farewell(key, owned, Fate.FORGET)
    if key in request.elsewhere:
        return Farewell(key, owned, Fate.HOLD, f"moves to {request.elsewhere[key]}")
    reason = _reason_to_stay(request, owned)
    return Farewell(key, owned, Fate.LEAVE if reason else Fate.REMOVE, reason)


def _reason_to_stay(request: Request, owned: Owned) -> str:
    kind = KINDS.get(owned.kind)
    reasons = (
        (kind is None, f"this version knows no {owned.kind}"),
        (owned.adopted, "it was there before us"),
        (owned.keep, "keep: true"),
        (request.prune == "false", "prune: false"),
        (owned.kind != "package" or request.prune != "all", kind.stays if kind else ""),
    )
    return next((str(reason) for holds, reason in reasons if holds and reason), "")
