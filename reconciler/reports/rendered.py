"""An app's resources as they would be on a host (`reconcile render`); secrets stand as references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.rendering import RenderedResource
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.visible import visible, visible_lines


def rendered_text(resources: Sequence[RenderedResource], *, color: bool) -> str:
    """Every resource in declared order with its fields; texts of several lines stand indented below their field."""
    paint = Palette(color)
    return "\n".join("".join(f"{line}\n" for line in _resource(resource, paint)) for resource in resources)


def rendered_file(resource: RenderedResource, *, terminal: bool) -> str:
    """The text of a file and nothing else: to the byte for a pipe, made visible for a terminal."""
    text = str(resource.fields["content"])
    return "".join(f"{line}\n" for line in visible_lines(text)) if terminal else text


def rendered_json(resources: Sequence[RenderedResource]) -> str:
    """The same for programs, in declared order.

    {"format": 1, "resources": [{"id", "kind", "name", "fields", "keep", "secrets", "unknown"}...]}
    """
    names = ("id", "kind", "name", "fields", "keep", "secrets", "unknown")
    return document(resources=[{name: getattr(resource, name) for name in names} for resource in resources])


def _resource(resource: RenderedResource, paint: Palette) -> Iterator[str]:
    named = paint.quiet(f"  ({visible(resource.name)})") if resource.name != resource.id else ""
    yield f"{paint.strong(visible(resource.id))}{named}"
    if resource.unknown:
        yield f"    {paint.note('unknown:')} {visible(resource.unknown)}"
    for name, value in resource.fields.items():
        yield from _field(name, value)


def _field(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"    {name}: {visible(canonical(value).decode())}"
    elif "\n" in value:
        yield f"    {name}:"
        yield from (f"        {line}".rstrip() for line in visible_lines(value))
    else:
        yield f"    {name}: {visible(value)}"
