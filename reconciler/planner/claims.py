"""Which places on a host an app claims for itself: two apps of one host must not claim the same.

Called by the composer for claims that stand in the manifest, and by `diff` for those that only a rendering shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.desired import Bundle
from reconciler.model.manifests import App, Block, ResourceTemplate
from reconciler.model.metadata import Path

_KEYS = {
    **dict.fromkeys(("file", "directory", "link", "archive", "mount"), "path"),
    **dict.fromkeys(("cron", "repository"), "name"),
    "sysctl": "key",
}
"""Kinds that own what stands at their place, and the field that tells it; packages, users and services may be wanted
by several apps."""


def fixed_claims(app: App) -> Mapping[str, Path]:
    """Resource id -> where it stands in the manifest, for claims that hold on every host of the app."""
    if app.steps:
        return {}
    fixed = (node for node in _unconditional(app.resources) if _fixed(node))
    return {f"{node.kind}:{node.fields[_KEYS[node.kind]]}": node.path for node in fixed}


def claims_a_place(resource: str) -> bool:
    """Whether the resource of this id is one that only a single app of a host may have."""
    return resource.partition(":")[0] in _KEYS


def has_loose_claims(bundle: Bundle) -> bool:
    """Whether the bundle may claim more places than `fixed_claims` tells: conditions, loops, paths with `{{ }}`."""
    return any(_loose(node, conditional=False) for node in bundle.content["resources"])


def _loose(node: Mapping[str, Any], *, conditional: bool) -> bool:
    conditional = conditional or "when" in node or "forEach" in node
    if "block" in node:
        return any(_loose(below, conditional=conditional) for below in node["block"])
    kind = node["kind"]
    return kind in _KEYS and (conditional or "{{" in str(node["fields"].get(_KEYS[kind])))


def _fixed(node: ResourceTemplate) -> bool:
    key = node.fields.get(_KEYS.get(node.kind, ""))
    return isinstance(key, str) and "{{" not in key


def _unconditional(nodes: tuple[ResourceTemplate | Block, ...]) -> Iterator[ResourceTemplate]:
    for node in nodes:
        if node.when is None and node.for_each is None:
            if isinstance(node, Block):
                yield from _unconditional(node.resources)
            else:
                yield node
