"""Kind Alert: what is wrong, for how long it must be so, and what is said then."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.manifests.door import Door, failure
from reconciler.manifests.fields import Duration, Filled, Labels, MetricExpression, Name, Selection, Values
from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.measuring import metric_claims
from reconciler.manifests.values import value_findings
from reconciler.model.metadata import Path
from reconciler.model.metrics import EACH
from reconciler.model.monitoring import Alert, AlertRun, AlertScope, Severity

ABOUT = "What is wrong, for how long it must be so, and what is said then."


class AlertRunSpec(Door):
    """A job that is started when the alert fires."""

    job: Name = Field(description="Name of the job.", examples=["cleanup"])
    params: Values = Field({}, description="Values for its parameters.")
    cooldown: Duration = Field(900.0, description="Not again on the same host for so long.")
    max_per_hour: int = Field(3, ge=1, le=3600, description="At most so often on the same host.")


class AlertSpec(Door):
    """The `spec` of an Alert."""

    expr: MetricExpression = Field(description="Expression over metrics that is true when something is wrong.")
    hosts: Selection | None = Field(None, description="Which hosts it is about.", examples=["role=web"])
    app: Name | None = Field(None, description="The hosts of this app, and the alert names the app.")
    allow_empty: bool = Field(default=False, description="No error if the selector matches no host.")
    scope: Literal["host", "fleet"] = Field("host", description="fleet: one alert over all these hosts together.")
    each: Filled | None = Field(None, description="One alert for each filesystem, interface, service ...")
    clear: MetricExpression | None = Field(None, description="When it is over; none: as soon as expr is false.")
    for_: Duration = Field(0.0, alias="for", description="It must be so for this long.")
    keep_firing_for: Duration = Field(0.0, description="It must be over for this long.")
    severity: Literal["warning", "critical", "info"] = Field("warning", description="How much it matters.")
    labels: Labels = Field({}, description="Labels of its own, for channels and silences to pick it by.")
    summary: Filled = Field(
        description="What is said; {{ }} may read value, host and labels.", examples=["disk is full"]
    )
    runbook_url: Filled | None = Field(None, description="Page that says what to do.")
    inhibits: list[Name] = Field([], description="Alerts of the same host that say nothing while this one fires.")
    run: AlertRunSpec | None = Field(None, description="A job to start on the host when it fires.")

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if (self.hosts is None) == (self.app is None):
            raise failure("an alert takes hosts or app", 'All hosts are hosts: "*"')
        return self


SPEC = AlertSpec


def build(draft: Draft) -> tuple[Alert, Claims]:
    """The alert."""
    spec: AlertSpec = draft.spec
    draft.findings.extend(_findings(spec))
    run = spec.run
    alert = Alert(
        metadata=draft.metadata,
        expr=spec.expr,
        summary=spec.summary,
        hosts=spec.hosts,
        app=spec.app,
        scope=AlertScope(spec.scope),
        each=spec.each,
        clear=spec.clear,
        for_seconds=spec.for_,
        keep_firing_seconds=spec.keep_firing_for,
        severity=Severity(spec.severity),
        labels=spec.labels,
        runbook_url=spec.runbook_url,
        inhibits=tuple(spec.inhibits),
        run=None if run is None else AlertRun(run.job, run.params, run.cooldown, run.max_per_hour),
    )
    texts: dict[Path, str | None] = {("spec", "expr"): spec.expr, ("spec", "clear"): spec.clear}
    named = metric_claims(texts, draft.findings, each=spec.each or "", fleet=spec.scope == "fleet")
    return alert, Claims(metrics=named, allow_empty=spec.allow_empty)


def _findings(spec: AlertSpec) -> Iterator[Finding]:
    yield from value_findings(spec.summary, ("spec", "summary"))
    if spec.each is not None and spec.each not in EACH:
        yield Finding(("spec", "each"), f'there is no "{spec.each}" to go through', did_you_mean(spec.each, EACH))
    if spec.each is not None and spec.scope == "fleet":
        yield Finding(("spec", "each"), "an alert over the whole fleet is one alert", "Remove each, or scope: fleet")
    if spec.run is not None and spec.scope == "fleet":
        hint = "Use a Schedule with a trigger"
        yield Finding(("spec", "run"), "an alert over the whole fleet has no host to run a job on", hint)
