"""Which services will be restarted, reloaded or started because something else changes; shown as part of a plan.

Called by `diff`. The engine decides by fingerprints of what it wrote; this tells people beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, TypeAlias

from reconciler.model.plan import Action, Change
from reconciler.rendering import RenderedResource

_SERVICE = "service"
_VERBS = (("restart", "restartOn"), ("reload", "reloadOn"))
"""In order: a restart makes a reload needless."""

_Key: TypeAlias = tuple[tuple[int, ...], ...]


class FollowUps:
    """What follows from changes; worked out once for all hosts that are alike."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[tuple[str, ...], Any]] = {}
        """Lines, and what the numbers in the key are the identities of."""

    def of(self, resources: Sequence[RenderedResource], changes: Sequence[Change]) -> tuple[str, ...]:
        """Lines such as `reload nginx (site changes)`, in declared order."""
        services = [resource for resource in resources if resource.form.kind == _SERVICE] if changes else []
        if not services:
            return ()
        actions = {change.resource: change.action for change in changes}
        changing = [resource for resource in resources if resource.id in actions]
        forms = [resource.form for resource in changing]  # all that is asked of them: a path has no blanks, nor a name
        verdicts = [actions[resource.id] for resource in changing]
        key = tuple(map(id, services)), tuple(map(id, forms)), tuple(map(id, verdicts))
        if key not in self._known:
            lines = tuple(line for service in services for line in _of(service, changing, actions))
            self._known[key] = lines, (services, forms)
        return self._known[key][0]


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
