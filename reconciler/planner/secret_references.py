"""Where manifests refer to a secret: one that is not found is told with its line. Asked only when one is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.model.manifests import Group, Host, Manifests
from reconciler.model.metadata import Origin, Path, Value
from reconciler.planner.config import secret_path


def first_reference(manifests: Manifests, secret: str) -> tuple[Origin, Path] | None:
    """The first `{secret: PATH}` with this path, by file; None where nothing refers to it."""
    found = ((origin, path) for origin, path, named in _references(manifests) if named == secret)
    return min(found, key=lambda place: (place[0].file, place[0].document), default=None)


def _references(manifests: Manifests) -> Iterator[tuple[Origin, Path, str]]:
    for origin, top, values in _values(manifests):
        for path, secret in _below(values, top):
            yield origin, path, secret


def _values(manifests: Manifests) -> Iterator[tuple[Origin, Path, Value]]:
    for app in manifests.apps.values():
        origin = app.metadata.origin
        yield origin, ("spec", "config"), app.config
        for resource in app.each_resource():
            yield origin, (*resource.path, resource.kind), resource.fields
        yield origin, ("spec", "health"), app.health
    givers: list[Group | Host] = [*manifests.groups.values(), *manifests.hosts.values()]
    for giver in givers:
        yield giver.metadata.origin, ("spec", "config"), giver.config
        yield giver.metadata.origin, ("spec", "vars"), giver.vars


def _below(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    secret = secret_path(value)
    if secret is not None:
        yield path, secret
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _below(below, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, below in enumerate(value):
            yield from _below(below, (*path, index))
