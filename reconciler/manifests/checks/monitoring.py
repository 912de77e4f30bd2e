"""What alerts, schedules, freezes and channels name must exist: jobs and their parameters, apps, other alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.checks.selection import find_circles
from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.manifests import Job, Parameter
from reconciler.model.metadata import Path
from reconciler.model.metrics import METRICS
from reconciler.model.monitoring import BUILT_IN, Severity
from reconciler.model.patterns import matches_whole

TYPES: Mapping[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
"""Type of a job's parameter -> the Python types of its values."""


def named_jobs(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Jobs that schedules and alerts start exist, and get parameters that they take."""
    for document in index.documents["Schedule"].values():
        for finding in _started(index, document.value.job, document.value.params, ("spec",)):
            yield document, finding
    for document in index.documents["Alert"].values():
        run = document.value.run
        for finding in _started(index, run.job, run.params, ("spec", "run")) if run else ():
            yield document, finding


def _started(index: Index, name: str, params: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    job = index.jobs.get(name)
    if job is None:
        if not index.may_exist("Job", name):
            yield Finding((*path, "job"), f'there is no job "{name}"', did_you_mean(name, index.jobs), "unknown-job")
        return
    yield from parameter_findings(job, params, path)


def parameter_findings(job: Job, params: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """What is wrong with the values that a job is started with."""
    declared = {parameter.name: parameter for parameter in job.params}
    for name in params.keys() - declared.keys():
        hint = did_you_mean(name, declared) or "It takes none"
        message = f'{job.metadata.name} has no parameter "{name}"'
        yield Finding((*path, "params", name), message, hint, "unknown-parameter", key=True)
    for name, parameter in declared.items():
        if name in params:
            problem = _misfit(parameter, params[name])
            if problem:
                yield Finding((*path, "params", name), problem, code="invalid-value")
        elif parameter.required:
            message = f"{job.metadata.name} needs the parameter {name}"
            yield Finding(path, message, f"Add params: {{{name}: ...}}", "missing-parameter")


def _misfit(parameter: Parameter, value: Any) -> str:
    wanted = TYPES[parameter.type]
    if not isinstance(value, wanted) or (isinstance(value, bool) and parameter.type != "boolean"):
        return f"{parameter.name} must be of type {parameter.type}"
    try:
        if parameter.pattern is not None and not matches_whole(parameter.pattern, str(value)):
            return f'{parameter.name} "{value}" does not match {parameter.pattern}'
    except ValueError as error:
        return f"the pattern of {parameter.name}, {error}"
    return ""


def named_alerts(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Alerts that others inhibit, or that triggers wait for, exist."""
    for document in index.documents["Alert"].values():
        for position, name in enumerate(document.value.inhibits):
            yield from _alert_exists(index, document, name, ("spec", "inhibits", position))
    for document in index.documents["Schedule"].values():
        trigger = document.value.trigger
        if trigger is not None and trigger.alert is not None:
            yield from _alert_exists(index, document, trigger.alert, ("spec", "trigger", "alert"))


def matched_alerts(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Alerts and severities that channels and silences match exist; any other label may come later."""
    severities = [severity.value for severity in Severity]
    for document in (*index.documents["Channel"].values(), *index.documents["Silence"].values()):
        for requirement in document.value.match.requirements:
            for value in requirement.values:
                if requirement.key in {"alert", "name"}:
                    yield from _alert_exists(index, document, value, ("spec", "match"))
                elif requirement.key == "severity" and value not in severities:
                    hint = did_you_mean(value, severities)
                    yield document, Finding(("spec", "match"), f'there is no severity "{value}"', hint, "unknown-label")


def _alert_exists(index: Index, document: Document, name: str, path: Path) -> Iterator[tuple[Document, Finding]]:
    if name not in BUILT_IN and not index.may_exist("Alert", name):
        hint = did_you_mean(name, [*index.documents["Alert"], *BUILT_IN])
        yield document, Finding(path, f'there is no alert "{name}"', hint, "unknown-alert")


def built_in_alerts(index: Index) -> Iterator[tuple[Document, Finding]]:
    """No rule takes the name of an alert that is there in any case."""
    for name in sorted(BUILT_IN & index.documents["Alert"].keys()):
        taken = Finding(("metadata", "name"), f"the alert {name} is built in", "Take another name", "invalid-name")
        yield index.documents["Alert"][name], taken


def inhibiting_circles(index: Index) -> Iterator[tuple[Document, Finding]]:
    """No alerts keep each other quiet, for then nobody would be told of any."""
    inhibits = {name: list(document.value.inhibits) for name, document in index.documents["Alert"].items()}
    for members in find_circles(inhibits):
        position = inhibits[members[0]].index(members[1])
        finding = Finding(
            ("spec", "inhibits", position),
            f"alerts inhibit each other: {' -> '.join(members)}",
            "Remove one of them",
            "inhibition-cycle",
        )
        yield index.documents["Alert"][members[0]], finding


def monitored_apps(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Apps that alerts are about, or that a freeze names, exist."""
    for document in index.documents["Alert"].values():
        app = document.value.app
        if app is not None and not index.may_exist("App", app):
            yield document, _no_app(index, ("spec", "app"), app)
    for document in index.documents["Freeze"].values():
        for app in sorted(document.value.apps or ()):
            if not index.may_exist("App", app):
                yield document, _no_app(index, ("spec", "apps"), app)


def known_metrics(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Metrics in expressions that no host has by itself are those of some app."""
    own = {metric.name for app in index.apps.values() for metric in app.metrics}
    for kind in ("Alert", "Schedule", "App"):
        for document in index.documents[kind].values() if index.certain("App") else ():
            for path, names in document.claims.metrics:
                for name in sorted(names - own):
                    hint = did_you_mean(name, [*own, *METRICS])
                    yield document, Finding(path, f'there is no metric "{name}"', hint, "unknown-metric")


def _no_app(index: Index, path: Path, app: str) -> Finding:
    return Finding(path, f'there is no app "{app}"', did_you_mean(app, index.apps), "unknown-app")
