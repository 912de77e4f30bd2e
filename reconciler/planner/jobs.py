"""A job as the composer sees it: an app of its own on the hosts that a run is asked of, its parameters as config.

Called by whoever submits a run. So a job's steps read `vars`, `host`, `facts` and `hosts()` just as an app's
resources do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.errors import NOWHERE, InvalidInput, Problem, did_you_mean
from reconciler.model.desired import Bundle
from reconciler.model.manifests import App, Block, Job, Parameter, ResourceTemplate
from reconciler.model.metadata import Metadata, Origin, Value
from reconciler.model.patterns import matches_whole
from reconciler.model.run import AD_HOC, JobPolicy
from reconciler.model.selector import Operator, Requirement, Selector
from reconciler.model.work import Lane
from reconciler.resources.values import replace

NO_ORIGIN = Origin("", 0)
"""Of a job that stands in no file."""

_ORDINARY = frozenset({"host", "none"})
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def command_job(*, timeout_seconds: float, user: str = "root") -> Job:
    """A job of one command, which is its parameter `argv`."""
    step = ResourceTemplate("command", {"argv": "{{ argv }}"}, ("spec", "steps", 0), name=AD_HOC)
    return Job(Metadata(AD_HOC, NO_ORIGIN), (step,), user=user, timeout_seconds=timeout_seconds)


def policy_of(job: Job) -> JobPolicy:
    """How runs of the job are carried out. What changes resources keeps the main lane's order, whatever its lock."""
    changes = any(step.kind != "command" for step in _each(job.steps))
    return JobPolicy(
        user=job.user,
        timeout_seconds=job.timeout_seconds,
        retries=job.retries,
        on_lost=job.on_lost,
        lane=Lane.MAIN if changes or job.lock == "host" else Lane.SIDE,
        lock="" if job.lock in _ORDINARY else job.lock,
    )


def as_app(job: Job, hosts: Iterable[str], params: Mapping[str, Value]) -> App:
    """The job as an app of a name that no app can have."""
    only = Selector((Requirement("name", Operator.IN, tuple(sorted(hosts))),))
    metadata = replace(job.metadata, name=app_name(job.metadata.name))
    return App(metadata, only, job.steps, config=dict(params), steps=True)


def app_name(job: str) -> str:
    """The name under which a job is composed."""
    return f"job/{job}"


def with_policy(bundle: Bundle, policy: JobPolicy) -> Bundle:
    """The bundle of the job, with what its runs need to know."""
    return Bundle.of({**bundle.content, "policy": policy.to_json()})


def bind(job: Job, given: Mapping[str, str]) -> Mapping[str, Value]:
    """The job's parameters with what a person gave as text, each of its type; those without a value are left out.

    Raises:
        InvalidInput: with all that is wrong.
    """
    known = {parameter.name: parameter for parameter in job.params}
    problems = [_unknown(job, name, known) for name in given if name not in known]
    values: dict[str, Value] = {}
    for parameter in job.params:
        text = given.get(parameter.name)
        if text is None and parameter.required:
            hint = f"-p {parameter.name}=VALUE"
            problems.append(_problem(job, parameter.name, "is required", hint, "missing-parameter"))
            continue
        try:
            value = parameter.default if text is None else _typed(parameter, text)
            if value is not None:
                values[parameter.name] = value
        except ValueError as error:
            problems.append(_problem(job, parameter.name, str(error), "", "invalid-parameter"))
    if problems:
        raise InvalidInput(problems)
    return values


def filled(job: Job, given: Mapping[str, Value]) -> Mapping[str, Value]:
    """The job's parameters with values that manifests give, which were checked with them; as `bind` otherwise."""
    values = {parameter.name: given.get(parameter.name, parameter.default) for parameter in job.params}
    return {name: value for name, value in values.items() if value is not None}


def told_which_lack_values(error: InvalidInput, job: Job, params: Mapping[str, Value]) -> InvalidInput:
    """The same problems; one over a declared parameter that was given no value says how to give it one."""
    missing = {f'"{name}" is undefined': name for name in (each.name for each in job.params) if name not in params}

    def told(problem: Problem) -> Problem:
        name = next((name for start, name in missing.items() if problem.message.startswith(start)), "")
        hint = f"It is a parameter without a value: -p {name}=VALUE, or a default in the job"
        return replace(problem, hint=hint) if name else problem

    return InvalidInput(told(problem) for problem in error.problems)


def _typed(parameter: Parameter, text: str) -> Value:
    """The value that the text stands for; ValueError says what is wrong with it."""
    if parameter.pattern is not None and not matches_whole(parameter.pattern, text):
        raise ValueError(f'"{text}" does not match {parameter.pattern}')
    match parameter.type:
        case "integer":
            if not re.fullmatch(r"[+-]?\d{1,18}", text):
                raise ValueError(f'"{text}" is no integer')
            return int(text)
        case "number":
            if not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", text):
                raise ValueError(f'"{text}" is no number')
            return float(text)
        case "boolean":
            if text.lower() not in _TRUE | _FALSE:
                raise ValueError(f'"{text}" is neither true nor false')
            return text.lower() in _TRUE
    return text


def _unknown(job: Job, name: str, known: Mapping[str, Any]) -> Problem:
    hint = did_you_mean(name, known) or (f"It has {', '.join(sorted(known))}" if known else "It has none")
    return _problem(job, name, "is no parameter of the job", hint, "unknown-parameter")


def _problem(job: Job, name: str, message: str, hint: str, code: str) -> Problem:
    return Problem(NOWHERE, f"{job.metadata.name}: {name} {message}", hint, code)


def _each(nodes: Iterable[ResourceTemplate | Block]) -> Iterator[ResourceTemplate]:
    for node in nodes:
        if isinstance(node, Block):
            yield from _each(node.resources)
        else:
            yield node
