"""How an app's health is seen: the checks of `health`."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.manifests.conditions import never_in_a_sandbox
from reconciler.manifests.door import Door, failure
from reconciler.manifests.fields import TEMPLATED, Argv, Expression, Filled, Integer, Seconds, Text
from reconciler.model.metadata import Path

CHECKS = ("http", "tcp", "command", "service", "tls")


class HttpSpec(Door):
    """A URL that must answer."""

    url: Filled = Field(description="Asked from the host itself.", examples=["http://127.0.0.1:80/"])
    status: Integer = Field(200, description="Status that it must answer with.")
    contains: Text | None = Field(None, description="Text that the answer must hold.")


class TcpSpec(Door):
    """A port that must accept connections."""

    port: Annotated[int, Field(ge=1, le=65535), TEMPLATED] = Field(description="On 127.0.0.1.", examples=[3306])


class CommandSpec(Door):
    """A command that must succeed."""

    argv: Argv = Field(description="The command, one word each; no shell.", examples=[["pg_isready"]])


class ServiceSpec(Door):
    """A service that must run."""

    name: Filled = Field(description="Name of the unit.", examples=["nginx"])


class TlsSpec(Door):
    """A TLS endpoint whose certificate must be valid."""

    address: Filled = Field(description="HOST:PORT.", examples=["127.0.0.1:443"])
    server_name: Text | None = Field(None, description="Name that the certificate must be for.")


class HealthSpec(Door):
    """One check; exactly one of http, tcp, command, service and tls."""

    http: HttpSpec | None = Field(None, description="A URL must answer.")
    tcp: TcpSpec | None = Field(None, description="A port must accept connections.")
    command: CommandSpec | None = Field(None, description="A command must succeed.")
    service: ServiceSpec | None = Field(None, description="A service must run.")
    tls: TlsSpec | None = Field(None, description="A certificate must be valid.")
    when: Expression | None = Field(None, description="Expression; where it is false there is nothing to check.")
    timeout: Seconds = Field(2.0, description="One try may take this long.")
    interval: Seconds = Field(2.0, description="Time between tries.")
    within: Seconds = Field(30.0, description="It must succeed within this time after an apply.")

    @model_validator(mode="after")
    def _one_check(self) -> Self:
        if sum(getattr(self, name) is not None for name in CHECKS) != 1:
            raise failure(f"a health check takes one of {', '.join(CHECKS)}", "Give each its own -")
        return self


def health_claims(checks: Sequence[HealthSpec]) -> Iterator[tuple[Path, str]]:
    """Checks that mean the machine itself, which a sandbox host is not."""
    for index, check in enumerate(checks):
        if check.when and never_in_a_sandbox(check.when):
            continue
        if check.service:
            yield ("spec", "health", index, "service"), f"service:{check.service.name}"
