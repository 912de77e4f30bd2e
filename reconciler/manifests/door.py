"""What all pydantic models of this room share: strict, camelCase, no unknown fields; and errors that people can read.

Called by `kinds` and `nodes`. A model only guards the door; what passes becomes a frozen value of `reconciler.model`.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from reconciler.manifests.findings import WRITTEN, Finding, did_you_mean
from reconciler.manifests.other_words import field_meant, map_meant
from reconciler.model.metadata import Path

_SEARCH = "pydantic.plugin._loader"
"""Where pydantic looks through the metadata of all packages for plugins: longer than it takes to build our models."""
if _SEARCH not in sys.modules:
    sys.modules[_SEARCH] = ModuleType(_SEARCH)
    sys.modules[_SEARCH].__dict__["get_plugins"] = tuple

_KEY = "[key]"
"""How pydantic marks that a map's key is wrong."""
_BOUNDS = {
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
    "greater_than": "above",
    "less_than": "below",
}


class Door(BaseModel):
    """A part of a manifest as it is written.

    Modules with such models do without `from __future__ import annotations`: pydantic would have to evaluate each text.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, defer_build=True, hide_input_in_errors=True
    )


def failure(message: str, hint: str = "", code: str = "invalid-value") -> PydanticCustomError:
    """An error for validators to raise; `{field}` in its texts becomes the name of the field."""
    return PydanticCustomError("finding", "{message}", {"message": message, "hint": hint, "code": code})


def findings(error: ValidationError, model: type[BaseModel], name: str = "this") -> Iterator[Finding]:
    """What a failed validation says, in our words; `name` is what people call the whole value."""
    for detail in error.errors(include_url=False):
        yield _finding(detail, model, name)


def kind_of(value: Any) -> str:
    """How people call the type of a YAML value."""
    names: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", str: "text", dict: "a map"}
    return "empty" if value is None else names.get(type(value), "a list")


def shown(value: Any) -> str:
    """A scalar as YAML writes it, cut where it is long."""
    text = ("true" if value else "false") if isinstance(value, bool) else "null" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def not_text(value: Any, quoted: str = WRITTEN) -> PydanticCustomError:
    """The error for a number, boolean, map or list where text belongs."""
    if value is None:
        return failure("{field} is empty")
    if isinstance(value, dict | list):
        return failure(f"{{field}} must be text, not {kind_of(value)}")
    return failure(f"{{field}} {shown(value)} is {kind_of(value)}", f'Quote it: {{field}}: "{quoted}"')


def _finding(detail: ErrorDetails, model: type[BaseModel], name: str) -> Finding:
    path: Path = tuple(step for step in detail["loc"] if step != _KEY)
    field = next((step for step in reversed(path) if isinstance(step, str)), name)
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "finding":
        message, hint = (str(context[name]).replace("{field}", field) for name in ("message", "hint"))
        return Finding(path, message, hint, str(context["code"]), key=_KEY in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _names_at(model, path[:-1])
        return Finding(path, f'unknown field "{field}"', field_meant(field, known), "unknown-field", key=True)
    if detail["type"] == "missing":
        return Finding(path[:-1], f"{field} is missing", _example(model, path), "missing-field", key=True)
    message, hint = _worded(detail["type"], field, detail["input"], context)
    return Finding(path, message, hint, "invalid-value")


def _worded(kind: str, field: str, value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    """Message and hint for one of pydantic's own error types."""
    wanted = {
        "bool": "true or false", "int": "a whole number", "float": "a number", "dict": "a map", "model": "a map",
        "list": "a list", "tuple": "a list", "string": "text",
    }  # fmt: skip
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "")
        return f"{field} {shown(value)} is not {choices}", _near(value, choices)
    if value is None:
        return f"{field} is empty", ""
    what = wanted.get(kind.split("_", maxsplit=1)[0])
    if what and kind.endswith(("_type", "_parsing")):
        hint = ""
        if isinstance(value, str):
            hint = f"Write {field}: [{shown(value)}]" if what == "a list" else map_meant(field, shown(value))
        found = f"{kind_of(value)} ({shown(value)})" if not isinstance(value, dict | list) else kind_of(value)
        return f"{field} must be {what}, not {found}", hint
    if kind in _BOUNDS:
        bound = next(iter(context.values()))
        return f"{field} must be {_BOUNDS[kind]} {bound}, not {shown(value)}", ""
    if kind == "too_short":
        return f"{field} is empty", ""
    return f"{field} is not valid", ""


def _near(value: Any, choices: str) -> str:
    hint = did_you_mean(shown(value), choices.replace(" or ", ", ").split(", "))
    return hint if hint.startswith("Did") else ""


def _example(model: type[BaseModel], path: Path) -> str:
    """`Add address: 10.0.0.5`, where the field knows an example."""
    parent, name = _model_at(model, path[:-1]), str(path[-1])
    for field in parent.model_fields.values() if parent else ():
        if field.alias == name and field.examples:
            example = field.examples[0]
            shape = f"[{', '.join(map(str, example))}]" if isinstance(example, list) else example
            return f"Add {name}: {shape}"
    return ""


def _names_at(model: type[BaseModel], path: Path) -> list[str]:
    found = _model_at(model, path)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that guards a place, found by following the fields' types."""
    current: type[BaseModel] | None = model
    annotation: Any = model
    for step in path:
        current = _model_in(annotation)
        if current is not None and isinstance(step, str):
            fields = {field.alias: field.annotation for field in current.model_fields.values()}
            if step in fields:
                annotation = fields[step]
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model inside an annotation such as `dict[str, Model] | None`."""
    if typing.get_origin(annotation) is None and isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((model for part in typing.get_args(annotation) if (model := _model_in(part))), None)
