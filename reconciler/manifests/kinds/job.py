"""Kind Job: steps to run at a time, on a condition or by hand."""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from reconciler.manifests import claims
from reconciler.manifests.door import Door
from reconciler.manifests.fields import Duration, Name, Text, Variable
from reconciler.manifests.findings import Finding
from reconciler.manifests.kinds import Claims, Draft
from reconciler.manifests.resources import STEPS
from reconciler.model.manifests import Job, Parameter
from reconciler.model.patterns import matches_whole

ABOUT = "Steps to run at a time, on a condition or by hand."
_TYPES: Mapping[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


class ParameterSpec(Door):
    """A value that the job takes."""

    type: Literal["string", "integer", "number", "boolean"] = Field("string", description="What it is.")
    default: Any = Field(None, description="Its value where none is given.")
    required: bool = Field(default=False, description="It must be given.")
    pattern: Text | None = Field(None, description="Regular expression that the whole text must match.")


class JobSpec(Door):
    """The `spec` of a Job."""

    params: dict[Variable, ParameterSpec] = Field({}, description="Values that it takes, by name.")
    steps: list[Any] = Field(description="Commands and resources, in order.", min_length=1, examples=["[...]"])
    user: Text = Field("root", description="User that runs its commands.")
    lock: Name | None = Field(None, description="host, none or a name of its own; one run at a time holds it.")
    timeout: Duration = Field(600.0, description="An attempt is ended after this long.")
    retries: int = Field(0, ge=0, le=100, description="How often it is tried again.")
    on_lost: Literal["fail", "retry"] = Field("fail", description="When a run had started and its executor was lost.")


SPEC = JobSpec
NODES = {"steps": STEPS}


def build(draft: Draft) -> tuple[Job, Claims]:
    """The job, and what it claims of others."""
    spec: JobSpec = draft.spec
    steps = draft.nodes["steps"]
    placed = list(claims.placed(steps))
    draft.findings.extend(_parameter_findings(spec))
    changes = any(each.resource.kind != "command" for each in placed)
    job = Job(
        metadata=draft.metadata,
        steps=steps,
        params=tuple(Parameter(name, p.type, p.default, p.required, p.pattern) for name, p in spec.params.items()),
        user=spec.user,
        lock=spec.lock or ("host" if changes else "none"),
        timeout_seconds=spec.timeout,
        retries=spec.retries,
        on_lost=spec.on_lost,
    )
    return job, Claims(templates=tuple(claims.template_claims(placed)))


def _parameter_findings(spec: JobSpec) -> Iterator[Finding]:
    for name, parameter in spec.params.items():
        where, default = ("spec", "params", name), parameter.default
        if parameter.required and default is not None:
            yield Finding(
                (*where, "default"), f"{name} is required, so its default is never used", "Remove one of them"
            )
        wrong = not isinstance(default, _TYPES[parameter.type]) or (
            isinstance(default, bool) and parameter.type != "boolean"
        )
        if default is not None and wrong:
            yield Finding((*where, "default"), f"default is no {parameter.type}", code="invalid-value")
        if parameter.pattern is not None:
            yield from _pattern_findings(parameter, (*where, "pattern"))


def _pattern_findings(parameter: ParameterSpec, where: tuple[str, ...]) -> Iterator[Finding]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(parameter.pattern or "")
    except re.error as error:
        yield Finding(where, f"pattern is no regular expression: {error}", code="invalid-value")
        return
    except FutureWarning as warning:
        message = f"pattern is ambiguous: {str(warning).lower()}"
        yield Finding(where, message, "Put a \\ before it", "invalid-value")
        return
    try:
        if isinstance(parameter.default, str) and not matches_whole(parameter.pattern or "", parameter.default):
            message = f'the default "{parameter.default}" does not match pattern'
            yield Finding((*where[:-1], "default"), message, code="invalid-value")
    except ValueError as error:
        yield Finding(where, f"pattern {error}", code="invalid-value")
