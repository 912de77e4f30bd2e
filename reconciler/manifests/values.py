"""Free values (config, vars, fields of resources): references to secrets and the syntax of `{{ }}` inside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.manifests.fields import is_secret, is_template, secret_problem
from reconciler.manifests.findings import Finding
from reconciler.model.metadata import Path


def value_findings(value: Any, path: Path = ()) -> Iterator[Finding]:
    """What is wrong anywhere inside a value."""
    if is_secret(value):
        problem = secret_problem(value)
        if problem:
            yield Finding((*path, "secret"), problem, "Write it like {secret: webapp/password}", "invalid-secret")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from value_findings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from value_findings(inner, (*path, index))
    elif is_template(value):
        from reconciler.manifests.syntax import template_findings  # noqa: PLC0415 - Jinja loads only if needed

        yield from template_findings(value, path)
