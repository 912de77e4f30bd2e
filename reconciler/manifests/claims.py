"""What an app's or job's resources claim of other files and hosts, and whether they agree among themselves.

Called by `kinds.app` and `kinds.job` once the resources themselves are sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.conditions import never_in_a_sandbox
from reconciler.manifests.fields import is_template
from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.nodes import Node
from reconciler.manifests.resources import STEPS
from reconciler.model.manifests import Block, ResourceTemplate, names_text
from reconciler.model.metadata import Path
from reconciler.resources.values import dataclass

PATH_KINDS = frozenset({"file", "directory", "link", "archive"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A resource with all conditions that it stands under."""

    resource: ResourceTemplate
    conditions: tuple[str, ...]
    looped: bool

    @property
    def name(self) -> str:
        """The name that restartOn and people use."""
        return self.resource.name or default_name(self.resource)

    @property
    def always(self) -> bool:
        """There on every host, once."""
        return not self.conditions and not self.looped


def placed(nodes: tuple[Node, ...], conditions: tuple[str, ...] = (), *, looped: bool = False) -> Iterator[Placed]:
    """All resources in declared order, blocks opened."""
    for node in nodes:
        under = (*conditions, node.when) if node.when else conditions
        loops = looped or node.for_each is not None
        if isinstance(node, Block):
            yield from placed(node.resources, under, looped=loops)
        else:
            yield Placed(node, under, loops)


def default_name(resource: ResourceTemplate) -> str:
    """`kind:key`, where the key is the path, the name or the command line."""
    fields = resource.fields
    key = fields.get("path", fields.get("name", fields.get("key", fields.get("argv", ""))))
    return f"{resource.kind}:{' '.join(map(str, key)) if isinstance(key, list) else key}"


def disagreements(resources: list[Placed]) -> Iterator[Finding]:
    """Resources that claim the same thing or name, and services that wait for one that is not there."""
    yield from _duplicates(resources)
    names = {each.name for each in resources}
    for each in resources:
        for field in ("restartOn", "reloadOn"):
            wanted = each.resource.fields.get(field)
            for index, name in enumerate(wanted if isinstance(wanted, list) else ()):
                if name not in names and not name.startswith("path:") and not is_template(name):
                    path = (*each.resource.path, each.resource.kind, field, index)
                    yield Finding(
                        path, f'{field} names no resource "{name}"', did_you_mean(name, names), "unknown-resource"
                    )


def _duplicates(resources: list[Placed]) -> Iterator[Finding]:
    """Two conditional resources may claim the same, because their conditions may exclude each other."""
    seen: dict[tuple[str, str], Placed] = {}
    for each in resources:
        for claim in _claimed(each.resource):
            other = seen.setdefault(claim, each)
            if other is not each and (each.always or other.always):
                what, word = claim
                message = f'{what} "{word}" is declared twice in this list'
                yield Finding(each.resource.path, message, "Keep one, or give both a when", "duplicate-resource")


def _claimed(resource: ResourceTemplate) -> Iterator[tuple[str, str]]:
    fields, kind = resource.fields, resource.kind
    if resource.name:
        yield "name", resource.name
    if kind in PATH_KINDS:
        yield "path", str(fields["path"]).rstrip("/") or "/"
    elif kind == "line":
        yield f"line in {fields['path']}", str(fields["line"])
    elif kind == "package":
        names = fields["name"]
        for name in names if isinstance(names, list) else [names]:
            yield kind, str(name)
    elif kind != "reboot" and (kind != "command" or not resource.name):
        yield tuple(default_name(resource).split(":", 1))  # type: ignore[misc] # always two parts


def template_claims(resources: list[Placed]) -> Iterator[tuple[Path, str]]:
    """Files below templates/ that must exist."""
    for each in resources:
        for field, name in each.resource.fields.items():
            if isinstance(name, str) and names_text(each.resource.kind, field, name):
                yield (*each.resource.path, each.resource.kind, field), name


def sandbox_claims(resources: list[Placed]) -> Iterator[tuple[Path, str]]:
    """Resources that a sandbox host cannot have, with the words that say why."""
    for each in resources:
        if any(map(never_in_a_sandbox, each.conditions)):
            continue
        path = (*each.resource.path, each.resource.kind)
        fields: Mapping[str, Any] = each.resource.fields
        if not STEPS[each.resource.kind].sandboxed:
            yield path, each.name
        for field in ("owner", "group"):
            who = fields.get(field, "root")
            if isinstance(who, str) and who != "root" and not is_template(who):
                yield (*path, field), f"{field} {who}"


def argv_claims(resources: list[Placed]) -> Iterator[tuple[Path, frozenset[str]]]:
    """Values that command lines read: none of them may be a secret."""
    for each in resources:
        for field in ("argv", "unless", "onlyIf", "validate", "check", "command", "options"):
            words = each.resource.fields.get(field)
            for index, word in enumerate(words if isinstance(words, list) else [words]):
                names = _names_read(word) if is_template(word) else frozenset()
                if names:
                    yield (
                        (*each.resource.path, each.resource.kind, field, *([index] if isinstance(words, list) else [])),
                        names,
                    )


def _names_read(text: str) -> frozenset[str]:
    from reconciler.manifests.syntax import names_read  # noqa: PLC0415 - Jinja loads only if needed

    return names_read(text)
