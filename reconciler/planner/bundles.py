"""An app's manifest and its templates as a bundle: what all its hosts share, addressed by content.

Called by the composer. What the bundle reads and how it renders is the rendering room's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.desired import Bundle
from reconciler.model.manifests import App, AppMetric, Block, ResourceTemplate, names_text
from reconciler.rendering import closure, included


def pack(app: App, templates: Mapping[str, str]) -> Bundle:
    """The bundle of an app, with the templates that it names and all that those, and its own texts, lead to. One that
    is missing is left out: rendering tells.
    """
    resources, health = [_node(node) for node in app.resources], [dict(check) for check in app.health]
    metrics = [_metric(metric) for metric in app.metrics]
    named = {name for wanted in _wanted(app) for name in _meant(wanted, templates)}
    used = sorted({*closure(tuple(sorted(named)), templates), *included([resources, health, metrics], templates)})
    steps = {"steps": True} if app.steps else {}
    return Bundle.of(
        {
            **steps,
            "app": app.name,
            "resources": resources,
            "health": health,
            "templates": {name: templates[name] for name in used},
            "policy": _policy(app),
            **({"metrics": metrics} if metrics else {}),
        }
    )


def _wanted(app: App) -> Iterator[str]:
    for resource in app.each_resource():
        named = (value for field, value in resource.fields.items() if names_text(resource.kind, field, value))
        yield from (name for name in named if isinstance(name, str))


def _meant(name: str, templates: Mapping[str, str]) -> set[str]:
    """The templates that a name may stand for: itself, or all that fit around a `{{ }}` in it."""
    if "{{" not in name:
        return {name} & templates.keys()
    head, _, rest = name.partition("{{")
    tail = rest.rpartition("}}")[2]
    return {path for path in templates if path.startswith(head) and path.endswith(tail)}


def _node(node: ResourceTemplate | Block) -> Mapping[str, Any]:
    if isinstance(node, Block):
        own: dict[str, Any] = {"block": [_node(below) for below in node.resources]}
    else:
        own = {"kind": node.kind, "fields": dict(node.fields), "name": node.name, "keep": node.keep or None}
    own |= {"when": node.when, "forEach": node.for_each}
    return {key: value for key, value in own.items() if value is not None}


def _metric(metric: AppMetric) -> Mapping[str, Any]:
    sources = {"command": list(metric.command or ()), "url": metric.url, "textfile": metric.textfile}
    read = {name: value for name, value in sources.items() if value}
    return {"name": metric.name, "interval": metric.interval_seconds, **read}


def _policy(app: App) -> Mapping[str, Any]:
    return {
        "adopt": app.adopt.value,
        "prune": app.prune.value,
        "onFailure": app.on_failure.value,
        "drift": app.drift.value,
        "verifyEvery": app.verify_every_seconds,
        "confirm": app.confirm_seconds,
        "dependsOn": [
            {"app": need.app, "sameLabels": list(need.same_labels), "require": need.require.value}
            for need in app.depends_on
        ],
        "formerly": list(app.metadata.formerly),
    }
