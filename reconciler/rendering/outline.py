"""A bundle's resources as a tree of nodes with what each reads, made once per bundle. Used by the renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.model.manifests import names_text
from reconciler.model.metadata import Path
from reconciler.rendering.compiled import (
    Compiled,
    closure,
    compile_expression,
    compile_template,
    compile_value,
    is_template,
)
from reconciler.rendering.reads import ReadPath, shortest
from reconciler.rendering.rendered import KEY_FIELDS, resource_id
from reconciler.rendering.scope import Scope
from reconciler.rendering.secret import secrets_in
from reconciler.rendering.trouble import Trouble, Troubled, did_you_mean
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A field that hosts may differ in."""

    name: str
    raw: Any
    path: Path
    becomes: str
    """The name of what is filled in: a file's text is its `content`, whatever it came from."""
    fill: Callable[[Scope], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A resource, or a block of them (`nodes`)."""

    path: Path
    """Where it stands in the bundle's content."""
    raw: Mapping[str, Any]
    when: Any
    for_each: Any
    keep: bool
    is_block: bool
    nodes: tuple[Node, ...]
    constant: Mapping[str, Any]
    """Fields that are the same on every host."""
    slots: tuple[Slot, ...]
    """The other fields, by name."""
    identity: str | None
    """Its id; None where that depends on values."""
    files: frozenset[str]
    """Names of all files below templates/ that it may be made from."""
    texts: tuple[Compiled, ...]
    """All that it evaluates itself: fields, when, forEach, and the templates that these lead to."""

    def each(self) -> Iterator[Node]:
        """It and all nodes in it."""
        yield self
        for node in self.nodes:
            yield from node.each()

    def each_text(self) -> Iterator[Compiled]:
        """Everything that it and the nodes in it evaluate."""
        for node in self.each():
            yield from node.texts


def nodes_of(raws: list[Mapping[str, Any]], path: Path, templates: Mapping[str, str]) -> tuple[Node, ...]:
    """The nodes of a list of resources."""
    return tuple(_node(raw, (*path, index), templates) for index, raw in enumerate(raws))


def _node(raw: Mapping[str, Any], path: Path, templates: Mapping[str, str]) -> Node:
    kind, name, fields = raw.get("kind", ""), raw.get("name"), sorted(raw.get("fields", {}).items())
    constant = {name: value for name, value in fields if _is_constant(kind, name, value)}
    files = frozenset[str]().union(*[_files(kind, name, value, templates) for name, value in fields])
    slots = tuple(_slot(kind, name, value, path, templates) for name, value in fields if name not in constant)
    own_words = "kind" in raw and not is_template(str(name)) and not any(slot.becomes in KEY_FIELDS for slot in slots)
    return Node(
        path=path,
        raw=raw,
        when=raw.get("when"),
        for_each=raw.get("forEach"),
        keep=bool(raw.get("keep", False)),
        is_block="block" in raw,
        nodes=nodes_of(raw.get("block", []), (*path, "block"), templates),
        constant=constant,
        slots=slots,
        identity=resource_id(kind, None if name is None else str(name), constant) if own_words else None,
        files=files,
        texts=tuple(_texts(raw, files if "template" in raw.get("fields", {}) else (), templates)),
    )


def _slot(kind: str, name: str, raw: Any, path: Path, templates: Mapping[str, str]) -> Slot:
    place = (*path, "fields", name)
    if not names_text(kind, name, raw):
        return Slot(name, raw, place, name, lambda scope: scope.whole(raw))
    becomes = "content" if kind == "file" else name
    return Slot(name, raw, place, becomes, lambda scope: _text(str(scope.whole(raw)), name, templates, scope))


def _text(named: str, field: str, templates: Mapping[str, str], scope: Scope) -> Any:
    """The text that a field's value names a file of."""
    text = templates.get(named)
    if text is None:
        hint = did_you_mean(named, templates, listing=False)
        raise Troubled([Trouble("", 0, "template-missing", f'there is no template "{named}"', hint)])
    return scope.text(compile_template(named, text)) if field == "template" else text


def _is_constant(kind: str, name: str, value: Any) -> bool:
    return not (names_text(kind, name, value) or secrets_in(value) or any(True for _ in values_in(value)))


def _files(kind: str, field: str, value: Any, templates: Mapping[str, str]) -> Iterable[str]:
    """Names of the files below templates/ that a field leads to."""
    if not names_text(kind, field, value) or not isinstance(value, str):
        return ()
    return templates if is_template(value) else closure((value,), templates)


def texts_for(node: Node, templates: Mapping[str, str]) -> Mapping[str, str]:
    """Name -> text of all that files of the node, and of the nodes in it, may be made from."""
    used = frozenset[str]().union(*[each.files for each in node.each()])
    return {name: templates[name] for name in sorted(used)}


def led_to(texts: Iterable[Compiled], templates: Mapping[str, str]) -> Mapping[str, str]:
    """Name -> text of all templates that some texts include, import or extend, those of a manifest's own included."""
    readings = [text.reading for text in texts]
    every = any(reading.any_template for reading in readings)
    names = templates if every else closure({name for reading in readings for name in reading.templates}, templates)
    return {name: templates[name] for name in names}


def _texts(raw: Mapping[str, Any], files: Iterable[str], templates: Mapping[str, str]) -> Iterator[Compiled]:
    if isinstance(raw.get("when"), str):
        yield compile_expression(raw["when"])
    for_each = raw.get("forEach")
    if isinstance(for_each, str):
        yield compile_expression(for_each)
    else:
        yield from values_in(for_each)
    yield from values_in(raw.get("fields"))
    yield from values_in(raw.get("name"))
    yield from (compile_template(name, templates[name]) for name in sorted(files))


def included(raw: Any, templates: Mapping[str, str]) -> frozenset[str]:
    """Names of all templates that texts of a manifest, anywhere in a value, include, import or extend by themselves."""
    return frozenset(led_to((compile_value(text) for text in _strings(raw) if "{%" in text), templates))


def values_in(raw: Any) -> Iterator[Compiled]:
    """All texts with `{{ }}` in a value."""
    return (compile_value(text) for text in _strings(raw) if is_template(text))


def _strings(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, dict | list):
        for item in raw.values() if isinstance(raw, dict) else raw:
            yield from _strings(item)


def health_texts(checks: list[Mapping[str, Any]]) -> Iterator[Compiled]:
    """Everything that health checks, or metrics, evaluate."""
    for check in checks:
        if isinstance(check.get("when"), str):
            yield compile_expression(check["when"])
        yield from values_in(without_when(check))


def without_when(check: Mapping[str, Any]) -> dict[str, Any]:
    """A health check or metric as it goes to the host."""
    return {name: value for name, value in check.items() if name != "when"}


def reads_of(texts: Iterable[Compiled]) -> frozenset[ReadPath]:
    """The shortest paths that some texts read."""
    return shortest(path for text in texts for path in text.reading.reads)
