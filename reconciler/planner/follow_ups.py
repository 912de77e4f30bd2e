"""Which services will be restarted, reloaded or started because something else changes; shown as part of a plan.

Called by `diff`. The engine decides by fingerprints of what it wrote; this tells people beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from reconciler.model.plan import Action, Change
from reconciler.rendering import RenderedResource

_SERVICE = "service"


def follow_ups(resources: Sequence[RenderedResource], changes: Mapping[str, Change]) -> tuple[str, ...]:
    """Lines such as `reload nginx (site changes)`, in declared order. A restart makes a reload needless."""
    if not changes:
        return ()
    services = [resource for resource in resources if resource.kind == _SERVICE]
    return tuple(line for service in services for line in _of(service, resources, changes))


def _of(
    service: RenderedResource, resources: Sequence[RenderedResource], changes: Mapping[str, Change]
) -> Iterator[str]:
    name = service.fields.get("name", service.name)
    own = changes.get(service.id)
    if service.fields.get("state", "running") != "running":
        return
    if own is not None and own.action is Action.ADD:
        yield f"start {name}"
        return
    for verb, field in (("restart", "restartOn"), ("reload", "reloadOn")):
        causes = [
            found
            for found in resources
            if found.id in changes and found.id != service.id and _named(service, field, found)
        ]
        if causes:
            yield f"{verb} {name} ({_because(causes, changes)})"
            return


def _named(service: RenderedResource, field: str, cause: RenderedResource) -> bool:
    wanted = service.fields.get(field) or ()
    names = (wanted,) if isinstance(wanted, str) else wanted
    return any(_means(name, cause) for name in names)


def _means(name: str, cause: RenderedResource) -> bool:
    if name.startswith("path:"):
        return fnmatchcase(str(cause.fields.get("path", "")), name.removeprefix("path:"))
    return name in (cause.name, cause.id)


def _because(causes: Sequence[RenderedResource], changes: Mapping[str, Change]) -> str:
    """Certain causes where there are any, else those that may turn out to be some."""
    certain = [cause.name for cause in causes if changes[cause.id].action is not Action.UNKNOWN]
    if certain:
        return f"{', '.join(certain)} {'changes' if len(certain) == 1 else 'change'}"
    return f"if {', '.join(cause.name for cause in causes)} changes"
