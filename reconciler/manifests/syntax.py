"""Jinja inside manifests: is it well formed, which names does it read, is a condition false whatever happens.

Called while documents and templates are read; the grammar, and what it allows, is the rendering room's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import Environment, TemplateError, nodes

from reconciler.errors import InvalidInput
from reconciler.manifests.findings import Finding
from reconciler.model.metadata import Path
from reconciler.rendering import Expression, check_template

WHEN_FUNCTIONS = ("hosts",)
_PARSER = Environment(autoescape=False)  # noqa: S701 - parses only, renders nothing


def template_findings(text: str, path: Path) -> Iterator[Finding]:
    """What is wrong with text that holds `{{ }}` or `{% %}`."""
    for problem in check_template("", text):
        yield Finding(path, problem.message, problem.hint, problem.code)


def expression_problem(text: str) -> tuple[str, str] | None:
    """Message and hint for an expression that cannot be read."""
    if "{{" in text or "{%" in text:
        bare = text.replace("{{", "").replace("}}", "").strip()
        return "an expression stands without {{ }}", f"Write {{field}}: {bare}"
    try:
        Expression.parse(text, functions=WHEN_FUNCTIONS)
    except InvalidInput as error:
        return error.problems[0].message, error.problems[0].hint
    return None


def names_read(text: str) -> frozenset[str]:
    """Top-level names that a text with `{{ }}` reads; none where it cannot be read."""
    try:
        tree = _PARSER.parse(text)
    except (TemplateError, RecursionError):
        return frozenset()
    return frozenset(node.name for node in tree.find_all(nodes.Name) if node.ctx == "load")


def statically(text: str, known: Mapping[tuple[str, ...], bool]) -> bool | None:
    """Truth of an expression where only some values are known; None: it depends on the others.

    `known` maps paths, such as ("host", "sandbox"), to their truth. `and`, `or` and `not` are Kleene's.
    """
    parsed = _parsed(text)
    return None if parsed is None else _truth(parsed, known)


def _truth(node: nodes.Node, known: Mapping[tuple[str, ...], bool]) -> bool | None:
    match node:
        case nodes.Const():
            return bool(node.value)
        case nodes.Not():
            inner = _truth(node.node, known)
            return None if inner is None else not inner
        case nodes.And() | nodes.Or():
            decides = isinstance(node, nodes.Or)
            sides = {_truth(node.left, known), _truth(node.right, known)}
            return decides if decides in sides else None if None in sides else not decides
        case _:
            return known.get(_steps(node))


def _steps(node: nodes.Node) -> tuple[str, ...]:
    """`host.labels.env` and `host['labels']` as a path; empty where it is something else."""
    steps: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        step = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if not isinstance(step, str):
            return ()
        steps.append(step)
        node = node.node
    return (node.name, *reversed(steps)) if isinstance(node, nodes.Name) else ()


@lru_cache(maxsize=1024)
def _parsed(text: str) -> nodes.Expr | None:
    try:
        body = _PARSER.parse("{{ (" + text + ") }}").body
    except (TemplateError, RecursionError):
        return None
    output = body[0] if len(body) == 1 else None
    return output.nodes[0] if isinstance(output, nodes.Output) and len(output.nodes) == 1 else None
