"""Kind Host: one machine."""

from typing import Literal

from pydantic import Field

from reconciler.manifests.door import Door
from reconciler.manifests.fields import Filled, Moment, Values
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.layers import ConnectionSpec, read_connection, read_layer
from reconciler.model.manifests import Host, Lifecycle, Maintenance

ABOUT = "One machine."


class MaintenanceSpec(Door):
    """A time in which people work on the host."""

    until: Moment = Field(description="When it ends.", examples=["2026-07-01T18:00:00Z"])
    reason: Filled = Field(description="Why, for those who ask.", examples=["new disk"])
    drain: bool = Field(default=True, description="Give the host no work meanwhile.")


class HostSpec(Door):
    """The `spec` of a Host."""

    address: Filled = Field(description="Name or IP address that others reach it by.", examples=["10.0.0.5"])
    connection: ConnectionSpec | None = Field(None, description="How an executor reaches it.")
    sandbox_root: Filled | None = Field(None, description="Directory that every path of this host lies below.")
    config: dict[str, Values] = Field({}, description="Values of apps on this host: app -> key -> value.")
    vars: Values = Field({}, description="Free values, for templates to read as vars.")
    maintenance: MaintenanceSpec | None = Field(None, description="People work on it.")
    lifecycle: Literal["active", "retire"] = Field(
        "active", description="retire: no work, in no other host's lists; then pruned."
    )


SPEC = HostSpec


def build(draft: Draft) -> tuple[Host, Claims]:
    """The host."""
    spec: HostSpec = draft.spec
    read_layer(spec.config, spec.vars, draft.findings)
    rest = spec.maintenance
    host = Host(
        metadata=draft.metadata,
        address=spec.address,
        connection=read_connection(spec.connection),
        sandbox_root=spec.sandbox_root,
        config=spec.config,
        vars=spec.vars,
        maintenance=None if rest is None else Maintenance(rest.until, rest.reason, rest.drain),
        lifecycle=Lifecycle(spec.lifecycle),
    )
    return host, Claims()
