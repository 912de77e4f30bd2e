"""Kind Group: values for the hosts that a selector picks."""

from pydantic import Field

from reconciler.manifests.door import Door
from reconciler.manifests.fields import Selection, Values
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.layers import ConnectionSpec, read_connection, read_layer
from reconciler.model.manifests import Group

ABOUT = "Values for the hosts that a selector picks; a higher priority wins."


class GroupSpec(Door):
    """The `spec` of a Group."""

    hosts: Selection = Field(description="Which hosts.", examples=["role=web"])
    allow_empty: bool = Field(default=False, description="No error if the selector matches no host.")
    priority: int = Field(0, description="A higher one wins; equal ones that disagree are an error.")
    connection: ConnectionSpec | None = Field(None, description="How executors reach these hosts.")
    config: dict[str, Values] = Field({}, description="Values of apps on these hosts: app -> key -> value.")
    vars: Values = Field({}, description="Free values, for templates to read as vars.")


SPEC = GroupSpec


def build(draft: Draft) -> tuple[Group, Claims]:
    """The group."""
    spec: GroupSpec = draft.spec
    read_layer(spec.config, spec.vars, draft.findings)
    group = Group(
        metadata=draft.metadata,
        hosts=spec.hosts,
        priority=spec.priority,
        connection=read_connection(spec.connection),
        config=spec.config,
        vars=spec.vars,
    )
    return group, Claims(allow_empty=spec.allow_empty)
