"""Kind Freeze: a time in which changes wait."""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from reconciler.manifests.door import failure, kind_of
from reconciler.manifests.fields import NAME, Selection
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.times import WindowSpec, read_window
from reconciler.model.schedules import Freeze
from reconciler.model.selector import EVERYTHING

ABOUT = "A time in which changes of apps wait; healing goes on."


def _apps(value: Any) -> frozenset[str] | None:
    if value == "*":
        return None
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(name, str) and NAME.match(name) for name in value)
    ):
        raise failure(f'{{field}} must be "*" or a list of names, not {kind_of(value)}', "Write apps: [webapp]")
    return frozenset(value)


_Apps: TypeAlias = Annotated[
    frozenset[str] | None,
    PlainValidator(_apps),
    WithJsonSchema({"anyOf": [{"const": "*"}, {"type": "array", "items": {"type": "string"}}]}),
]


class FreezeSpec(WindowSpec):
    """The `spec` of a Freeze."""

    hosts: Selection = Field(EVERYTHING, description="On which hosts.", examples=["env=prod"])
    apps: _Apps = Field(None, description='Which apps; "*" means all.', examples=["[webapp]"])
    allow_empty: bool = Field(default=False, description="No error if the selector matches no host.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        read_window(self)
        return self


SPEC = FreezeSpec


def build(draft: Draft) -> tuple[Freeze, Claims]:
    """The freeze."""
    spec: FreezeSpec = draft.spec
    freeze = Freeze(draft.metadata, read_window(spec), spec.reason, spec.hosts, spec.apps)
    return freeze, Claims(allow_empty=spec.allow_empty)
