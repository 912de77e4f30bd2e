"""JSON Schemas of the kinds, so that editors complete and check manifests while they are written.

`reconcile schema` writes them to `manifests/.schema/KIND.json`, which manifests name in their first line. Built from
the same models that validate; lists of resources, which those leave to `nodes`, are put together here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from reconciler.manifests.documents import API_VERSION, document_model
from reconciler.manifests.fields import DURATION_SCHEMA, duration_text
from reconciler.manifests.kinds import KINDS, kind
from reconciler.manifests.nodes import BLOCK, Beside, BlockBody

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """Kind -> schema."""
    return {name: _schema(name) for name in KINDS}


def _schema(name: str) -> dict[str, Any]:
    schema = _of(document_model(name))
    definitions = schema.setdefault("$defs", {})
    fields = schema["properties"]
    fields["apiVersion"] = {"const": API_VERSION, "description": "Version of the language."}
    fields["kind"] = {"const": name, "description": "What it declares."}
    for field, kinds in kind(name).nodes.items():
        spec = definitions[kind(name).spec.__name__]["properties"][field]
        spec["items"] = {"$ref": "#/$defs/Resource"}
        spec.pop("examples", None)
        definitions.update(_resources(kinds))
    return {"$schema": DIALECT, "$id": f"{name.lower()}.json", **schema}


def _resources(kinds: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Definitions for a list of resources: one-key maps with what may stand beside the key."""
    definitions: dict[str, Any] = {}
    bodies: dict[str, type[BaseModel]] = {**kinds, BLOCK: BlockBody}
    for name, model in bodies.items():
        body = _of(model)
        definitions.update(body.pop("$defs", {}))
        definitions[f"resource.{name}"] = body
    definitions[f"resource.{BLOCK}"]["properties"]["resources"]["items"] = {"$ref": "#/$defs/Resource"}
    beside = _of(Beside)["properties"]
    named = {name: {"$ref": f"#/$defs/resource.{name}", "description": _about(model)} for name, model in bodies.items()}
    definitions["Resource"] = {
        "type": "object",
        "properties": {**named, **beside},
        "additionalProperties": False,
        "oneOf": [{"required": [name]} for name in bodies],
    }
    return definitions


def _of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Untitled)
    schema.pop("title", None)
    return schema


def _about(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


class _Untitled(GenerateJsonSchema):
    """Without the titles that pydantic derives from names, which say nothing more; defaults as people write them."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """The schema with its default, a duration's as text."""
        found = super().default_schema(schema)
        default = found.get("default")
        if isinstance(default, float) and any(map(_takes_duration, found.get("anyOf", [found]))):
            found["default"] = duration_text(default)
        return found


def _takes_duration(schema: JsonSchemaValue) -> bool:
    return schema.get("pattern") == DURATION_SCHEMA["pattern"]
