"""Which services will be restarted, reloaded or started because something else changes; shown as part of a plan.

Called by `diff`. The engine decides by fingerprints of what it wrote; this tells people beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from reconciler.model.plan import Action, Change
from reconciler.rendering import RenderedResource

_SERVICE = "service"
_VERBS = (("restart", "restartOn"), ("reload", "reloadOn"))
"""In order: a restart makes a reload needless."""


def follow_ups(resources: Sequence[RenderedResource], changes: Sequence[Change]) -> tuple[str, ...]:
    """Lines such as `reload nginx (site changes)`, in declared order."""
    services = [resource for resource in resources if resource.kind == _SERVICE] if changes else []
    if not services:
        return ()
    actions = {change.resource: change.action for change in changes}
    changing = [resource for resource in resources if resource.id in actions]
    return tuple(line for service in services for line in _of(service, changing, actions))


def _of(
    service: RenderedResource, changing: Sequence[RenderedResource], actions: Mapping[str, Action]
) -> Iterator[str]:
    name = service.fields.get("name", service.name)
    if service.fields.get("state", "running") != "running":
        return
    if actions.get(service.id) is Action.ADD:
        yield f"start {name}"
        return
    for verb, field in _VERBS:
        causes = list(_causes(service, field, changing))
        if causes:
            yield f"{verb} {name} ({_because(causes, actions)})"
            return


def _causes(service: RenderedResource, field: str, changing: Sequence[RenderedResource]) -> Iterator[RenderedResource]:
    wanted = service.fields.get(field)
    if not isinstance(wanted, (list, tuple)):
        return
    names = frozenset(map(str, wanted))
    globs = tuple(sorted(name.removeprefix("path:") for name in names if name.startswith("path:")))
    for cause in changing:
        named = cause.name in names or cause.id in names or (globs and _fits(str(cause.field("path") or ""), globs))
        if named and cause is not service:
            yield cause


@lru_cache(maxsize=4096)
def _fits(path: str, globs: tuple[str, ...]) -> bool:
    """Asked for each host, and mostly of the same paths."""
    return any(fnmatchcase(path, glob) for glob in globs)


def _because(causes: Sequence[RenderedResource], actions: Mapping[str, Action]) -> str:
    """Certain causes where there are any, else those that may turn out to be some."""
    certain = [cause.name for cause in causes if actions[cause.id] is not Action.UNKNOWN]
    if certain:
        return f"{', '.join(certain)} {'changes' if len(certain) == 1 else 'change'}"
    return f"if {', '.join(cause.name for cause in causes)} changes"
