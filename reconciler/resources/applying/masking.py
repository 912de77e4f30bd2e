"""Clear texts of secrets, replaced in everything that is told or kept. Pure; used by the engine."""

from __future__ import annotations

from typing import Any, Sequence, TypeVar, Union, cast

from reconciler.resources.protocol import Event, ResourceEvent, RunEvent
from reconciler.resources.values import replace

Told = TypeVar("Told", bound=Union[Event, RunEvent])

_MASK = "********"


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """A text, or a tuple of texts, without any of the secrets; longer ones first, since one may hold another."""
    if isinstance(value, tuple):
        return tuple(masked(each, secrets) for each in value)
    if isinstance(value, str):
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            value = value.replace(secret, _MASK)
    return value


def masked_event(event: Told, secrets: Sequence[str]) -> Told:
    """An event as it may be told."""
    if not any(secrets):
        return event
    shown = ("differences", "before") if isinstance(event, ResourceEvent) else ("message", "text")
    names = [name for name in (*shown, "error", "hint") if hasattr(event, name)]
    told: Any = replace(event, **{name: masked(getattr(event, name), secrets) for name in names})
    return cast("Told", told)
