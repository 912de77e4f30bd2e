"""What is allowed and may surprise, told by `reconcile validate` beside its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconciler.errors import Place, Problem
from reconciler.manifests.conditions import never_in_a_sandbox
from reconciler.model.manifests import Block, Manifests, ResourceTemplate
from reconciler.model.metadata import Origin, Path


def notes(manifests: Manifests, locate: Callable[[Origin, Path], Place]) -> Iterator[Problem]:
    """Commands that a sandbox host would run: they are programs of the machine itself."""
    sandboxes = {name for name, host in manifests.hosts.items() if host.sandbox_root}
    for app in manifests.apps.values() if sandboxes else ():
        commands = list(_commands(app.resources))
        host = min(sandboxes.intersection(manifests.select(app.hosts)), default="") if commands else ""
        for path in commands if host else ():
            message = f"sandbox host {host} runs this on the machine itself, not below its sandboxRoot"
            hint = "Find files by $RECONCILER_ROOT, or exclude it there: when: not host.sandbox"
            yield Problem(locate(app.metadata.origin, path), message, hint, "command-in-sandbox")


def _commands(nodes: tuple[ResourceTemplate | Block, ...]) -> Iterator[Path]:
    for node in nodes:
        if node.when and never_in_a_sandbox(node.when):
            continue
        if isinstance(node, Block):
            yield from _commands(node.resources)
        elif node.kind == "command":
            yield (*node.path, node.kind)
