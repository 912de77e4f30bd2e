"""How a change goes through an app's hosts: `rollout` and its steps."""

import re
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from reconciler.manifests.door import Door, failure, shown
from reconciler.manifests.fields import Duration, Filled, MetricExpression, Selection
from reconciler.model.manifests import FailurePolicy, Rollout, RolloutStep


def _share(value: Any) -> str:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[1-9][0-9]{0,5}|(?:[1-9][0-9]?|100)%", text):
        raise failure(f"{{field}} {shown(value)} is no number of hosts", "Write it like 2 or 25%")
    return text


Share: TypeAlias = Annotated[
    str,
    PlainValidator(_share),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+%?$"}]}),
]


class StepSpec(Door):
    """One step: hosts by selector, or a batch."""

    hosts: Selection | None = Field(None, description="These hosts.")
    batch: Share | None = Field(None, description="So many hosts at a time, 5 or 25%, until all are done.")
    min_healthy_time: Duration = Field(0.0, description="They must have been healthy for so long before it goes on.")
    gate: MetricExpression | None = Field(None, description="Expression over metrics that must hold before it goes on.")
    approve: bool = Field(default=False, description="Somebody must promote it.")
    spread: Filled | None = Field(None, description="Label over whose values a batch is spread.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.hosts is None) == (self.batch is None):
            raise failure("a step takes hosts or batch", "Keep one")
        return self


class RolloutSpec(Door):
    """How a change goes through the hosts."""

    steps: list[StepSpec] = Field(description="One after the other; hosts that no step names come last.", min_length=1)
    max_unavailable: Share = Field("1", description="So many hosts may be down at once, 2 or 10%.")
    healthy_deadline: Duration = Field(300.0, description="A host must be healthy within this time.")
    failure_budget: int = Field(0, ge=0, description="So many hosts may fail before it stops.")
    on_failure: Literal["rollback", "stop"] = Field("rollback", description="When it stops.")


def read_rollout(spec: RolloutSpec | None) -> Rollout | None:
    """The rollout's model value."""
    if spec is None:
        return None
    steps = tuple(
        RolloutStep(step.hosts, step.batch, step.min_healthy_time, step.gate, step.approve, step.spread)
        for step in spec.steps
    )
    policy = FailurePolicy(spec.on_failure)
    return Rollout(steps, spec.max_unavailable, spec.healthy_deadline, spec.failure_budget, policy)
