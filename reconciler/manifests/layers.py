"""What Host and Group share: a connection, `config` per app and `vars`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from reconciler.manifests.door import Door
from reconciler.manifests.fields import Filled, HostKey, SealingKey
from reconciler.manifests.findings import Finding
from reconciler.manifests.values import value_findings
from reconciler.model.manifests import Connection, ConnectionType


class ConnectionSpec(Door):
    """How an executor reaches a host; what is not set comes from groups, then from the defaults."""

    type: Literal["ssh", "agent", "local"] | None = Field(None, description="Over SSH (default), by an agent, or here.")
    user: Filled | None = Field(
        None, description="User to log in as; default what ~/.ssh/config says, else your own name."
    )
    port: int | None = Field(None, ge=1, le=65535, description="SSH port; default 22, or what ~/.ssh/config says.")
    become: bool | None = Field(None, description="Become root with sudo -n.")
    proxy_jump: Filled | None = Field(
        None, description="Hosts to go through, comma-separated: of the fleet, or [user@]address[:port]."
    )
    host_key: HostKey | None = Field(None, description="The host's public key or its fingerprint, SHA256:...")
    sealing_key: SealingKey | None = Field(
        None,
        description="The key that secrets for the host's agent are sealed to, as enrolling tells it.",
    )


def read_connection(spec: ConnectionSpec | None) -> Connection:
    """The connection's model value."""
    if spec is None:
        return Connection()
    kind = ConnectionType(spec.type) if spec.type else None
    return Connection(kind, spec.user, spec.port, spec.become, spec.proxy_jump, spec.host_key, spec.sealing_key)


def read_layer(config: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any], found: list[Finding]) -> None:
    """Check the values of a layer."""
    if config:
        found.extend(value_findings(config, ("spec", "config")))
    if variables:
        found.extend(value_findings(variables, ("spec", "vars")))
    if "secret" in variables:
        message = '"secret" has a meaning of its own in values'
        found.append(Finding(("spec", "vars", "secret"), message, "Choose another name", key=True))
