"""Small bundles for the tests of rendering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.errors import Problem
from reconciler.model.desired import Bundle
from reconciler.rendering import RenderedResource, Renderer, RenderFailed

SECRET = {"secret": "webapp/mysql_pass"}
MARKER = "<secret webapp/mysql_pass>"


def bundle(
    *resources: Mapping[str, Any], templates: Mapping[str, str] | None = None, health: Any = (), metrics: Any = ()
) -> Bundle:
    """The bundle of an app named webapp."""
    content = {
        "app": "webapp",
        "resources": list(resources),
        "templates": dict(templates or {}),
        "health": list(health),
        "metrics": list(metrics),
        "policy": {},
    }
    return Bundle.of(content)


def file(path: str = "/etc/app.conf", **fields: Any) -> dict[str, Any]:
    """A file resource."""
    return {"kind": "file", "fields": {"path": path, **fields}}


def config(**values: Any) -> dict[str, Any]:
    """The values of a host named web-1, with this config."""
    return {"config": values, "host": {"name": "web-1", "labels": {"env": "prod"}}, "vars": {}, "facts": {}}


def template(
    text: str, *, secrets: Mapping[str, str] | None = None, values: Any = None, **given: Any
) -> RenderedResource:
    """A file rendered from one template; keyword arguments are the app's config."""
    renderer = Renderer(bundle(file(template="a.j2"), templates={"a.j2": text}))
    return renderer.render(values or config(**given), secrets).resources[0]


def shown(text: str, **given: Any) -> Any:
    """The text of a template."""
    return template(text, **given).fields["content"]


def problems(text: str, **given: Any) -> list[Problem]:
    """What is wrong with a template."""
    try:
        template(text, **given)
    except RenderFailed as error:
        return list(error.problems)
    return []


def problem(text: str, **given: Any) -> Problem:
    """The only thing that is wrong with a template."""
    (found,) = problems(text, **given)
    return found
