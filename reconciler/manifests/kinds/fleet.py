"""Kind Fleet: settings of the whole fleet."""

from pydantic import Field

from reconciler.manifests.door import Door
from reconciler.manifests.fields import Duration, Filled, TextOrSecret
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.values import value_findings
from reconciler.model.manifests import Fleet, Guard
from reconciler.resources.values import replace

ABOUT = "Settings of the whole fleet; there is exactly one."


class GuardSpec(Door):
    """How many deletes a plan may hold."""

    delete_percent: int = Field(
        20, ge=0, le=100, description="Deletes above this share and above deleteCount are refused."
    )
    delete_count: int = Field(10, ge=0, description="Deletes above this number and above deletePercent are refused.")


class RetentionSpec(Door):
    """How long measurements are kept."""

    raw: Duration = Field(86_400.0, description="How long samples are kept as they are.")
    rollup: Duration = Field(30 * 86_400.0, description="How long 5-minute roll-ups are kept.")
    metrics: list[Filled] | None = Field(None, description="Metrics that are kept as series; else a sensible few.")


class FleetSpec(Door):
    """The `spec` of a Fleet."""

    guard: GuardSpec | None = Field(None, description="When a plan with many deletes is refused.")
    sample_interval: Duration = Field(5.0, description="How often hosts are measured.")
    retention: RetentionSpec | None = Field(None, description="How long measurements are kept.")
    stale_source: Duration = Field(900.0, description="An alert fires after git was out of reach for so long.")
    dead_man: TextOrSecret = Field(None, description="URL that is called regularly while all is well.")


SPEC = FleetSpec


def build(draft: Draft) -> tuple[Fleet, Claims]:
    """The fleet's settings."""
    spec: FleetSpec = draft.spec
    draft.findings.extend(value_findings(spec.dead_man, ("spec", "deadMan")))
    fleet = Fleet(
        metadata=draft.metadata,
        sample_interval_seconds=spec.sample_interval,
        stale_source_seconds=spec.stale_source,
        dead_man=spec.dead_man,
    )
    if spec.guard:
        fleet = replace(fleet, guard=Guard(spec.guard.delete_percent, spec.guard.delete_count))
    if spec.retention:
        metrics = None if spec.retention.metrics is None else tuple(spec.retention.metrics)
        fleet = replace(
            fleet,
            retention_raw_seconds=spec.retention.raw,
            retention_rollup_seconds=spec.retention.rollup,
            retention_metrics=metrics,
        )
    return fleet, Claims()
