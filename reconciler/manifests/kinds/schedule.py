"""Kind Schedule: when a job runs, by time or on a condition."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.errors import InvalidInput
from reconciler.manifests.door import Door, failure
from reconciler.manifests.fields import Duration, Filled, MetricExpression, Moment, Name, Selection, Values
from reconciler.manifests.findings import Finding
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.measuring import metric_claims
from reconciler.manifests.times import Timezone
from reconciler.model.metadata import Path
from reconciler.model.schedules import CatchUp, Concurrency, RunOn, Schedule, Trigger
from reconciler.scheduling.cron import Cron

ABOUT = "When a job runs, by time or on a condition."


class TriggerSpec(Door):
    """A condition whose turning true starts a run; one of alert and expr."""

    alert: Name | None = Field(None, description="An alert that fires.")
    expr: MetricExpression | None = Field(None, description="An expression over metrics.")
    for_: Duration = Field(0.0, alias="for", description="It must hold for this long.")
    cooldown: Duration = Field(600.0, description="Not again for so long.")
    max_per_hour: int = Field(4, ge=1, le=3600, description="At most so often.")

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.alert is None) == (self.expr is None):
            raise failure("a trigger takes alert or expr", "Keep one")
        return self


class ScheduleSpec(Door):
    """The `spec` of a Schedule."""

    cron: Filled | None = Field(None, description="Five fields as in crontab.", examples=["15 3 * * *"])
    every: Duration | None = Field(None, description="So long after the last, counted from midnight 1970.", ge=1)
    at: Moment | None = Field(None, description="Once, at this moment.")
    trigger: TriggerSpec | None = Field(None, description="When a condition turns true.")
    hosts: Selection = Field(description="On which hosts.", examples=["role=db"])
    allow_empty: bool = Field(default=False, description="No error if the selector matches no host.")
    job: Name = Field(description="Name of the job.", examples=["backup"])
    params: Values = Field({}, description="Values for its parameters.")
    run_on: Literal["each", "one"] = Field("each", description="On each of the hosts, or on one that is well.")
    gate: MetricExpression | None = Field(None, description="A due run waits until this holds.")
    timezone: Timezone = Field("UTC", description="Whose wall clock cron follows.")
    concurrency: Literal["forbid", "replace", "allow"] = Field("forbid", description="While the run before goes on.")
    starting_deadline: Duration = Field(600.0, description="A run that could not start by then is skipped.")
    catch_up: Literal["latest", "none", "all"] = Field("latest", description="Which missed runs are made up for.")
    jitter: Duration = Field(0.0, description="Spread the hosts over this time.")
    suspend: bool = Field(default=False, description="Start nothing.")

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if sum(way is not None for way in (self.cron, self.every, self.at, self.trigger)) != 1:
            raise failure("a schedule takes one of cron, every, at and trigger", "Keep one")
        return self


SPEC = ScheduleSpec


def build(draft: Draft) -> tuple[Schedule, Claims]:
    """The schedule."""
    spec: ScheduleSpec = draft.spec
    if spec.cron is not None:
        draft.findings.extend(_of_cron(spec.cron, spec.timezone))
    schedule = Schedule(
        metadata=draft.metadata,
        hosts=spec.hosts,
        job=spec.job,
        params=spec.params,
        cron=spec.cron,
        every_seconds=spec.every,
        at=spec.at,
        trigger=_trigger(spec.trigger),
        run_on=RunOn(spec.run_on),
        gate=spec.gate,
        timezone=spec.timezone,
        concurrency=Concurrency(spec.concurrency),
        starting_deadline_seconds=spec.starting_deadline,
        catch_up=CatchUp(spec.catch_up),
        jitter_seconds=spec.jitter,
        suspend=spec.suspend,
    )
    trigger = spec.trigger.expr if spec.trigger else None
    texts: dict[Path, str | None] = {("spec", "gate"): spec.gate, ("spec", "trigger", "expr"): trigger}
    return schedule, Claims(metrics=metric_claims(texts, draft.findings), allow_empty=spec.allow_empty)


def _of_cron(text: str, timezone: str) -> Iterator[Finding]:
    try:
        Cron.parse(text, timezone)
    except InvalidInput as error:
        for problem in error.problems:
            yield Finding(("spec", "cron"), problem.message, problem.hint, problem.code)


def _trigger(spec: TriggerSpec | None) -> Trigger | None:
    if spec is None:
        return None
    return Trigger(spec.alert, spec.expr, spec.for_, spec.cooldown, spec.max_per_hour)
