"""What is wrong with a template before anything is rendered. Called by `validate`."""

from __future__ import annotations

from reconciler.errors import Problem
from reconciler.rendering.compiled import compile_template


def check_template(name: str, text: str) -> list[Problem]:
    """Problems of syntax, unknown filters, reaching for Python's internals; `name` is the path below `templates/`."""
    return [trouble.problem() for trouble in compile_template(name, text).troubles]
