"""JSON Schemas for editors."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from reconciler.manifests import json_schemas
from reconciler.manifests.kinds import KINDS
from tests.unit.manifests.trees import ROOT


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    return json_schemas()


def test_there_is_a_schema_for_every_kind() -> None:
    assert list(schemas()) == list(KINDS)
    for kind, schema in schemas().items():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["properties"]["kind"]["const"] == kind
        assert schema["required"] == ["apiVersion", "kind", "metadata", "spec"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_says_what_it_is(kind: str) -> None:
    nameless = [path for path, field in _fields(schemas()[kind], kind) if not _described(schemas()[kind], field)]

    assert nameless == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_somewhere(kind: str) -> None:
    text = json.dumps(schemas()[kind])
    definitions = schemas()[kind]["$defs"]

    assert isinstance(definitions, dict)
    assert [name for name in _references(text) if name not in definitions] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_default_is_one_that_could_be_written(kind: str) -> None:
    durations = [field for _, field in _fields(schemas()[kind], kind) if "smhdw" in json.dumps(field)]
    assert all(isinstance(field.get("default"), str | None) for field in durations)
    if kind == "App":
        assert '"default": "5m"' in json.dumps(schemas()["App"])


def test_a_resource_has_one_kind_and_what_may_stand_beside_it() -> None:
    resource = schemas()["App"]["$defs"]["Resource"]

    assert {"file", "block", "mount", "name", "when", "forEach", "keep"} <= set(resource["properties"])
    assert {"required": ["file"]} in resource["oneOf"]
    assert "reboot" not in resource["properties"]
    assert "reboot" in schemas()["Job"]["$defs"]["Resource"]["properties"]


def test_the_examples_name_the_schema_of_their_kind() -> None:
    for path in sorted((ROOT / "manifests").rglob("*.yaml")):
        first, *rest = path.read_text().splitlines()
        kind = next(line.removeprefix("kind: ") for line in rest if line.startswith("kind: "))
        name = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / name).resolve() == ROOT / "manifests" / ".schema" / f"{kind.lower()}.json"


def _fields(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, field in node.get("properties", {}).items():
            yield f"{path}.{name}", field
        for name, inner in node.items():
            yield from _fields(inner, f"{path}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from _fields(inner, path)


def _described(schema: Mapping[str, Any], field: Mapping[str, Any]) -> bool:
    name = field.get("$ref", "").removeprefix("#/$defs/")
    return bool(field.get("description") or schema["$defs"].get(name, {}).get("description"))


def _references(text: str) -> Iterator[str]:
    for part in text.split('"#/$defs/')[1:]:
        yield part.split('"')[0]
