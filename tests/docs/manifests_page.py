"""Makes docs/reference/manifests.md from the JSON Schemas of the kinds."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

INTRODUCTION = """\
Every document has `apiVersion: reconciler/v1`, `kind`, `metadata` and `spec`; a file below `manifests/` holds one or
more. An unknown field is an error. `reconcile schema` writes the schemas that this page is made from, for editors to
complete and check what you write.

In the tables **bold** fields are required (where the map that they are in is given). `a.b` is the field `b` of the map
`a`, `a[].b` of each item of the list `a`, `a.NAME.b` of each value of the map `a`. A *selector* picks hosts by their
labels, `role=web,zone in (eu-1,eu-2),!legacy`; `app=webapp` picks the hosts that an app runs on, and `"*"` all. A
*duration* is written `90s`, `5m` or `1h30m`."""

RESOURCES = """\
An item of `resources`, or of a job's `steps`, is a map with one of the kinds below as its key, and beside it:"""


def manifests_page() -> Iterator[str]:
    """The page's paragraphs."""
    from reconciler.manifests import json_schemas

    schemas: Mapping[str, Schema] = json_schemas()
    yield INTRODUCTION
    yield "## metadata"
    yield _table(schemas["App"], _definition(schemas["App"], schemas["App"]["properties"]["metadata"]))
    for kind, schema in schemas.items():
        yield f"## {kind}"
        yield _table(schema, _definition(schema, schema["properties"]["spec"]))
    yield from _resources(schemas)


def _resources(schemas: Mapping[str, Schema]) -> Iterator[str]:
    yield "## Resources"
    yield RESOURCES
    app, job = schemas["App"], schemas["Job"]
    beside = {name: field for name, field in app["$defs"]["Resource"]["properties"].items() if "$ref" not in field}
    yield _table(app, {"properties": beside})
    for schema, only in ((app, ""), (job, " Jobs only.")):
        for name, field in schema["$defs"]["Resource"]["properties"].items():
            if "$ref" in field and (not only or name not in app["$defs"]["Resource"]["properties"]):
                yield f"### {name}"
                yield f"{field['description']}{only}"
                yield _table(schema, _definition(schema, field))


def _table(schema: Schema, spec: Schema) -> str:
    rows = list(_rows(schema, spec, ""))
    return (
        "\n".join(["| field | type | default | meaning |", "| --- | --- | --- | --- |", *rows])
        if rows
        else "No fields."
    )


def _rows(schema: Schema, spec: Schema, prefix: str) -> Iterator[str]:
    required = spec.get("required", ())
    for name, field in spec.get("properties", {}).items():
        path = f"`{prefix}{name}`"
        shown = f"**{path}**" if name in required else path
        default = "" if name in required else _default(field)
        yield f"| {shown} | {_type(schema, field)} | {default} | {_cell(field.get('description', ''))} |"
        for step, inner in _inner(schema, field):
            yield from _rows(schema, inner, f"{prefix}{name}{step}.")


def _inner(schema: Schema, field: Schema) -> Iterator[tuple[str, Schema]]:
    """The model behind a field, and how a path goes on to its fields."""
    for choice in _choices(schema, field):
        if "properties" in choice and not _is_secret(choice):
            yield "", choice
        for key, step in (("items", "[]"), ("additionalProperties", ".NAME")):
            inner = choice.get(key)
            if isinstance(inner, dict) and "$ref" in inner and not inner["$ref"].endswith("/Resource"):
                yield step, _definition(schema, inner)


def _type(schema: Schema, field: Schema) -> str:
    choices = _choices(schema, field)
    kinds = [choice.get("type") for choice in choices]
    if kinds == ["string", "object"] and not _is_secret(choices[1]):
        return "selector"
    return " or ".join(dict.fromkeys(_name(schema, choice) for choice in choices))


def _name(schema: Schema, choice: Schema) -> str:
    if "enum" in choice or "const" in choice:
        return " or ".join(f"`{value}`" for value in choice.get("enum", [choice.get("const")]))
    if _is_secret(choice):
        return "secret"
    if choice.get("type") == "array":
        items = choice.get("items", {})
        if items.get("$ref", "").endswith("/Resource"):
            return "list of [resources](#resources)"
        return f"list of {_type(schema, items)}" if items else "list"
    if choice.get("type") == "string":
        return "duration" if _is_duration(choice) else "time" if choice.get("format") == "date-time" else "text"
    return {"object": "map", "integer": "number", "number": "number", "boolean": "`true` or `false`"}.get(
        choice.get("type", ""), "any value"
    )


def _choices(schema: Schema, field: Schema) -> list[Schema]:
    """What a field may hold: without null, and without `{{ }}` text, which most fields of resources take."""
    if "$ref" in field:
        return _choices(schema, _definition(schema, field))
    if "anyOf" in field:
        return [choice for each in field["anyOf"] for choice in _choices(schema, each)]
    template = field.get("pattern") == r"\{[{%]"
    return [] if template or field.get("type") == "null" else [field]


def _definition(schema: Schema, field: Schema) -> Schema:
    found: Schema = schema["$defs"][field["$ref"].rpartition("/")[2]]
    return found


def _is_secret(choice: Schema) -> bool:
    return list(choice.get("properties", {})) == ["secret"]


def _is_duration(choice: Schema) -> bool:
    return "smhdw" in choice.get("pattern", "")


def _default(field: Schema) -> str:
    value = field.get("default")
    if value is None or isinstance(value, list | dict):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
