"""Kind App: something that runs on hosts."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from reconciler.manifests import claims
from reconciler.manifests.door import Door, failure, shown
from reconciler.manifests.fields import VARIABLE, Argv, Duration, Filled, Name, Selection, Values
from reconciler.manifests.findings import Finding
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.looking import HealthSpec, health_claims
from reconciler.manifests.measuring import metric_claims
from reconciler.manifests.resources import RESOURCES
from reconciler.manifests.rollouts import RolloutSpec, read_rollout
from reconciler.manifests.values import value_findings
from reconciler.model.manifests import (
    AdoptPolicy,
    App,
    AppMetric,
    Dependency,
    DriftPolicy,
    FailurePolicy,
    PrunePolicy,
    Require,
    Sync,
)
from reconciler.model.metadata import Path

ABOUT = "Something that runs on hosts: its values, its resources and how it is looked after."
RESERVED = frozenset({"vars", "host", "facts", "hosts", "item", "key", "config", "secret"})
"""Names that mean something of their own in templates."""


def _prune(value: Any) -> bool | str:
    if isinstance(value, bool) or value == "all":
        return cast("bool | str", value)
    raise failure(f"{{field}} must be true, false or all, not {shown(value)}")


Prune: TypeAlias = Annotated[bool | str, PlainValidator(_prune), WithJsonSchema({"enum": [True, False, "all"]})]


class DependencySpec(Door):
    """An app that must be healthy first."""

    app: Name = Field(description="Name of the app.", examples=["mariadb"])
    same_labels: list[Filled] = Field([], description="Only its hosts that agree with ours in these labels.")
    require: Literal["all", "any"] = Field("all", description="On all of those hosts, or on any.")


class MetricSpec(Door):
    """A metric of the app's own; one of command, url and textfile."""

    name: Name = Field(description="Name of the metric.", examples=["queue_length"])
    command: Argv | None = Field(None, description="Command that prints a number.")
    url: Filled | None = Field(None, description="URL that answers in Prometheus' text format.")
    textfile: Filled | None = Field(None, description="File in Prometheus' text format.")
    interval: Duration = Field(30.0, description="How often it is read.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(value is not None for value in (self.command, self.url, self.textfile)) != 1:
            raise failure("a metric takes one of command, url and textfile", "Keep one")
        return self


class AppSpec(Door):
    """The `spec` of an App."""

    hosts: Selection = Field(description="Where it runs.", examples=["role=web"])
    allow_empty: bool = Field(default=False, description="No error if a selector matches no host.")
    depends_on: list[DependencySpec] = Field([], description="Apps that must be healthy first.")
    config: Values = Field({}, description="Its values, with defaults; null: must be set by a group or host.")
    resources: list[Any] = Field(description="What it puts on its hosts, in order.", examples=["[...]"])
    health: list[HealthSpec] = Field([], description="How to see that it works.")
    metrics: list[MetricSpec] = Field([], description="Metrics of its own.")
    rollout: RolloutSpec | None = Field(None, description="How a change goes through its hosts; none: all at once.")
    sync: Literal["auto", "manual"] = Field("auto", description="manual: changes wait for reconcile apply --app NAME.")
    drift: Literal["heal", "report", "ignore"] = Field(
        "heal", description="When a host no longer looks as it was left."
    )
    verify_every: Duration = Field(300.0, description="How often hosts are looked at.")
    prune: Prune = Field(default=True, description="Remove what left the manifests; all: packages too.")
    adopt: Literal["refuse", "replace"] = Field("refuse", description="Things that exist, differ and are not ours.")
    on_failure: Literal["rollback", "stop"] = Field("rollback", description="When an apply fails.")
    confirm: Duration | None = Field(
        None,
        ge=10,
        description="Agents take an apply back when they cannot reach Redis for so long after it; at least 10s.",
    )


SPEC = AppSpec
NODES = {"resources": RESOURCES}


def build(draft: Draft) -> tuple[App, Claims]:
    """The app, and what it claims of others."""
    spec: AppSpec = draft.spec
    resources = draft.nodes["resources"]
    placed = list(claims.placed(resources))
    health = tuple(draft.raw.get("health") or ())
    draft.findings.extend(_findings(spec, placed))
    draft.findings.extend(value_findings(list(health), ("spec", "health")))
    app = App(
        metadata=draft.metadata,
        hosts=spec.hosts,
        resources=resources,
        allow_empty=spec.allow_empty,
        depends_on=tuple(Dependency(d.app, tuple(d.same_labels), Require(d.require)) for d in spec.depends_on),
        config=spec.config,
        health=health,
        metrics=tuple(_metric(metric) for metric in spec.metrics),
        rollout=read_rollout(spec.rollout),
        sync=Sync(spec.sync),
        drift=DriftPolicy(spec.drift),
        verify_every_seconds=spec.verify_every,
        prune=PrunePolicy(str(spec.prune).lower()),
        adopt=AdoptPolicy(spec.adopt),
        on_failure=FailurePolicy(spec.on_failure),
        confirm_seconds=spec.confirm,
    )
    return app, Claims(
        templates=tuple(claims.template_claims(placed)),
        unsandboxed=(*claims.sandbox_claims(placed), *health_claims(spec.health)),
        argv=tuple(claims.argv_claims(placed)),
        metrics=metric_claims(_gates(spec.rollout), draft.findings, fleet=True),
        allow_empty=spec.allow_empty,
    )


def _gates(spec: RolloutSpec | None) -> Mapping[Path, str | None]:
    steps = enumerate(spec.steps if spec else ())
    return {("spec", "rollout", "steps", position, "gate"): step.gate for position, step in steps}


def _findings(spec: AppSpec, placed: list[claims.Placed]) -> Iterator[Finding]:
    yield from claims.disagreements(placed)
    yield from value_findings(spec.config, ("spec", "config"))
    for key in spec.config:
        where = ("spec", "config", key)
        if key in RESERVED:
            yield Finding(where, f'"{key}" has a meaning of its own in templates', "Choose another name", key=True)
        elif not VARIABLE.match(key):
            hint = f"Did you mean {key.replace('-', '_')}?" if VARIABLE.match(key.replace("-", "_")) else ""
            yield Finding(
                where, f'"{key}" is no name that a template can read', hint or "Use letters, digits and _", key=True
            )


def _metric(spec: MetricSpec) -> AppMetric:
    command = None if spec.command is None else tuple(spec.command)
    return AppMetric(spec.name, command, spec.url, spec.textfile, spec.interval)
