"""A list of resources, as it stands in an app or a job -> `ResourceTemplate` and `Block` values.

Called by `kinds.app` and `kinds.job`. Every model is validated alone, so that only the kinds that a fleet uses are
built, and one broken resource hides no other.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel

from reconciler.manifests.door import Door, failure, findings, kind_of
from reconciler.manifests.fields import Expression, Text, read_expression
from reconciler.manifests.findings import Finding
from reconciler.manifests.other_words import kind_meant
from reconciler.manifests.values import value_findings
from reconciler.model.manifests import Block, ResourceTemplate
from reconciler.model.metadata import Path

Node: TypeAlias = ResourceTemplate | Block
_Model = TypeVar("_Model", bound=BaseModel)


def _for_each(value: Any) -> Any:
    if isinstance(value, list | dict):
        return value
    if isinstance(value, str):
        return read_expression(value)
    raise failure(f"{{field}} must be a list, a map or an expression, not {kind_of(value)}", "Write {field}: [a, b]")


ForEach: TypeAlias = Annotated[
    Any,
    PlainValidator(_for_each),
    WithJsonSchema({"anyOf": [{"type": "array"}, {"type": "object"}, {"type": "string", "examples": ["nginx_sites"]}]}),
]
BLOCK = "block"


class Beside(Door):
    """What may stand beside a resource's one-key map."""

    name: Text | None = Field(None, description="Name for restartOn, reloadOn and people; default kind:key.")
    when: Expression | None = Field(None, description="Expression; where it is false the resource is not there.")
    for_each: ForEach | None = Field(None, description="A list, map or expression; one resource each, as item and key.")
    keep: bool = Field(default=False, description="Never pruned.")


_BESIDE = frozenset(field.alias for field in Beside.model_fields.values())


class BlockBody(Door):
    """What may stand inside a block."""

    when: Expression | None = Field(None, description="Expression; where it is false none of the resources is there.")
    for_each: ForEach | None = Field(None, description="A list, map or expression; the resources once each.")
    resources: list[Any] = Field(description="The resources.", min_length=1)


def read_nodes(
    raw: Sequence[Any], path: Path, kinds: Mapping[str, type[BaseModel]], found: list[Finding]
) -> tuple[Node, ...]:
    """The nodes of a list; what is wrong goes to `found`, and what is broken is left out."""
    nodes = (_node(item, (*path, index), kinds, found) for index, item in enumerate(raw))
    return tuple(node for node in nodes if node is not None)


def _node(item: Any, path: Path, kinds: Mapping[str, type[BaseModel]], found: list[Finding]) -> Node | None:
    if not isinstance(item, dict):
        found.append(
            Finding(path, f"a resource is a map, not {kind_of(item)}", "Write it like - file: {path: /etc/motd}")
        )
        return None
    named = [key for key in item if key in kinds or key == BLOCK]
    unknown = [key for key in item if key not in _BESIDE and key not in named]
    if len(named) != 1:
        found.extend(_misnamed(path, named, unknown, kinds))
        return None
    kind = named[0]
    rest = {key: value for key, value in item.items() if key != kind}
    before = len(found)
    around = _validated(Beside, rest, path, found, kind)
    if kind == BLOCK:
        return _block(item[kind], (*path, BLOCK), around, kinds, found)
    _validated(kinds[kind], item[kind], (*path, kind), found, kind)
    found.extend(value_findings(item[kind], (*path, kind)))
    if len(found) > before or around is None:
        return None
    return ResourceTemplate(kind, item[kind], path, around.name, around.when, rest.get("forEach"), around.keep)


def _block(
    raw: Any, path: Path, around: Beside | None, kinds: Mapping[str, type[BaseModel]], found: list[Finding]
) -> Block | None:
    body = _validated(BlockBody, raw, path, found, BLOCK)
    resources: tuple[Node, ...] = ()
    if isinstance(raw, dict) and isinstance(raw.get("resources"), list):
        resources = read_nodes(raw["resources"], (*path, "resources"), kinds, found)
    if body is None or around is None:
        return None
    for field in ("when", "for_each"):
        if getattr(body, field) is not None and getattr(around, field) is not None:
            message = f"{to_camel(field)} stands beside this block and inside it"
            found.append(Finding(path, message, "Keep one"))
    if around.name is not None or around.keep:
        found.append(Finding(path[:-1], "a block has no name and no keep", "Write them beside its resources"))
    return Block(resources, path[:-1], body.when or around.when, body.for_each or around.for_each)


def _validated(model: type[_Model], raw: Any, path: Path, found: list[Finding], name: str) -> _Model | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found.extend(finding.below(path) for finding in findings(error, model, name))
        return None


def _misnamed(path: Path, named: Sequence[str], unknown: Sequence[str], kinds: Mapping[str, Any]) -> Iterator[Finding]:
    if len(named) > 1:
        yield Finding((*path, named[1]), f"{' and '.join(named)} in one item", "Give each its own -", key=True)
    elif unknown:
        message = f'unknown kind of resource "{unknown[0]}"'
        hint = kind_meant(unknown[0], [*kinds, BLOCK])
        yield Finding((*path, unknown[0]), message, hint, "unknown-field", key=True)
    else:
        yield Finding(path, "this item names no resource", "Write it like - file: {path: /etc/motd}")
