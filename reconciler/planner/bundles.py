"""An app's manifest and its templates as a bundle: what all its hosts share, addressed by content.

Called by the composer. What the bundle reads and how it renders is the rendering room's.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from reconciler.errors import Place, Problem
from reconciler.model.desired import Bundle
from reconciler.model.manifests import App, Block, Origin, Path, ResourceTemplate

_PARSER = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=False)  # noqa: S701 - only parsed, never rendered
_TEMPLATE_FIELDS = ("template", "source")
"""Fields of a file that name a text below `templates/`."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle, or what kept it from being made."""

    bundle: Bundle
    problems: tuple[Problem, ...] = ()


def pack(app: App, templates: Mapping[str, str], locate: Callable[[Origin, Path], Place]) -> Packed:
    """The bundle of an app, with the templates that it names and all that those include."""
    problems: list[Problem] = []
    wanted: set[str] = set()
    for resource in app.each_resource():
        for field in _TEMPLATE_FIELDS:
            if resource.kind != "file" or not isinstance(name := resource.fields.get(field), str):
                continue
            found = _named(name, templates)
            wanted.update(found)
            if not found:
                place = locate(app.metadata.origin, (*resource.path, resource.kind, field))
                problems.append(_missing(name, templates, place))
    used = _closure(wanted, templates, problems)
    content = {
        "app": app.name,
        "resources": [_node(node) for node in app.resources],
        "health": [dict(check) for check in app.health],
        "templates": {name: templates[name] for name in sorted(used)},
        "policy": _policy(app),
    }
    return Packed(Bundle.of(content), tuple(problems))


def _named(name: str, templates: Mapping[str, str]) -> set[str]:
    """The templates that a name may stand for: itself, or all that fit around a `{{ }}` in it."""
    if "{{" not in name:
        return {name} & templates.keys()
    head, _, rest = name.partition("{{")
    tail = rest.rpartition("}}")[2]
    return {path for path in templates if path.startswith(head) and path.endswith(tail)}


def _closure(wanted: set[str], templates: Mapping[str, str], problems: list[Problem]) -> set[str]:
    """These templates and everything that they include, import or extend."""
    found: set[str] = set()
    waiting = set(wanted)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for reference, required in _references(templates[name]).items():
            if reference is None:
                return set(templates)
            if reference in templates:
                waiting |= {reference} - found
            elif required:
                problems.append(_missing(reference, templates, Place(file=f"templates/{name}")))
    return found


@lru_cache(maxsize=4096)
def _references(text: str) -> Mapping[str | None, bool]:
    """Names that a template includes (None for one that is computed), and whether each must exist.

    A template that does not parse has none: the renderer reports it.
    """
    try:
        parsed = _PARSER.parse(text)
    except TemplateSyntaxError:
        return {}
    lenient = [node.template for node in parsed.find_all(nodes.Include) if node.ignore_missing]
    optional = {node.value for node in lenient if isinstance(node, nodes.Const)}
    return {name: name not in optional for name in meta.find_referenced_templates(parsed)}


def _missing(name: str, templates: Mapping[str, str], place: Place) -> Problem:
    close = difflib.get_close_matches(name, templates, n=1)
    hint = f"Did you mean {close[0]}?" if close else ""
    return Problem(place, f"templates/{name} does not exist", hint, "template-missing")


def _node(node: ResourceTemplate | Block) -> Mapping[str, Any]:
    if isinstance(node, Block):
        own: dict[str, Any] = {"block": [_node(below) for below in node.resources]}
    else:
        own = {"kind": node.kind, "fields": dict(node.fields), "name": node.name, "keep": node.keep or None}
    own |= {"when": node.when, "forEach": node.for_each}
    return {key: value for key, value in own.items() if value is not None}


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


def each_node(nodes: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All resources of a bundle's content, blocks opened."""
    for node in nodes:
        if "block" in node:
            yield from each_node(node["block"])
        else:
            yield node
