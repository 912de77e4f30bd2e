"""Kind Silence: alerts that nobody is told of for a time."""

from typing import Self

from pydantic import Field, model_validator

from reconciler.manifests.fields import Selection
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.times import WindowSpec, read_window
from reconciler.model.monitoring import Silence

ABOUT = "Alerts that nobody is told of for a time."


class SilenceSpec(WindowSpec):
    """The `spec` of a Silence."""

    match: Selection = Field(description="Which alerts, by their labels.", examples=["alert=FilesystemFull"])

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        read_window(self)
        return self


SPEC = SilenceSpec


def build(draft: Draft) -> tuple[Silence, Claims]:
    """The silence."""
    spec: SilenceSpec = draft.spec
    return Silence(draft.metadata, spec.match, read_window(spec), spec.reason), Claims()
