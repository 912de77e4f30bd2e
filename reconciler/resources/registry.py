"""The kinds that there are, and the way from a wanted resource to one of them.

A new kind is one module and one line here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from reconciler.resources.archive import Archive
from reconciler.resources.command import Command
from reconciler.resources.cron import Cron
from reconciler.resources.directory import Directory
from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.file import File
from reconciler.resources.group import Group
from reconciler.resources.ledger import Owned
from reconciler.resources.line import Line
from reconciler.resources.link import Link
from reconciler.resources.mount import Mount
from reconciler.resources.package import Package
from reconciler.resources.protocol import Wanted
from reconciler.resources.repository import Repository
from reconciler.resources.resource import Resource
from reconciler.resources.service import Service
from reconciler.resources.sysctl import Sysctl
from reconciler.resources.user import User

_ALL = (
    Archive,
    Command,
    Cron,
    Directory,
    File,
    Group,
    Line,
    Link,
    Mount,
    Package,
    Repository,
    Service,
    Sysctl,
    User,
)
KINDS: Mapping[str, Any] = {kind.kind: kind for kind in _ALL}
NOT_IN_SANDBOX = frozenset({"cron", "group", "mount", "package", "repository", "service", "sysctl", "user"})


@dataclass(frozen=True)
class Item:
    """A wanted resource, understood."""

    wanted: Wanted
    resource: Resource

    @property
    def id(self) -> str:
        return self.wanted.id


def parse(wanted: Wanted, *, sandbox: bool) -> Item:
    """Understand one wanted resource.

    Raises:
        Failure: `unknown-kind`, `not-in-sandbox` or `invalid-field`.
    """
    kind = KINDS.get(wanted.kind)
    if kind is None:
        raise Failure("unknown-kind", f"{wanted.name}: there is no kind {wanted.kind}; there are {', '.join(KINDS)}")
    if sandbox and wanted.kind in NOT_IN_SANDBOX:
        raise Failure("not-in-sandbox", f"{wanted.name}: a sandbox has no {wanted.kind}s", "Use when: not host.sandbox")
    fields = Fields(wanted.name, wanted.fields)
    resource: Resource = kind.parse(fields)
    fields.done()
    return Item(wanted, resource)


def parse_all(wanted: Iterable[Wanted], *, sandbox: bool) -> Tuple[Item, ...]:
    """Understand all of an app.

    Raises:
        Failure: every problem at once, and two resources with one id or one path.
    """
    items: List[Item] = []
    problems: List[Failure] = []
    for each in wanted:
        try:
            items.append(parse(each, sandbox=sandbox))
        except Failure as failure:  # noqa: PERF203 - all problems at once
            problems.append(failure)
    problems += _doubles(items)
    if problems:
        raise Failure(problems[0].code, "; ".join(problem.message for problem in problems), problems[0].hint)
    return tuple(items)


def _doubles(items: Iterable[Item]) -> List[Failure]:
    seen: Dict[str, str] = {}
    problems = []
    for item in items:
        for claim in {item.id, *item.resource.places}:
            if claim in seen:
                problems.append(Failure("two-claims", f"{item.wanted.name} and {seen[claim]} both claim {claim}"))
            seen[claim] = item.wanted.name
    return problems


def with_context(item: Item, owned: Optional[Owned], declared: FrozenSet[str], *, replaces: bool) -> Resource:
    """The resource with what only the host's ledger knows: whether a command ran, what is left to other resources."""
    if isinstance(item.resource, Command):
        ran = owned is not None and owned.fingerprint == item.wanted.fingerprint
        return dataclasses.replace(item.resource, ran=ran)
    if isinstance(item.resource, Directory) and item.resource.purge:
        return dataclasses.replace(item.resource, declared=declared)
    if isinstance(item.resource, Archive):
        return dataclasses.replace(item.resource, declared=declared - {item.resource.path}, replaces=replaces)
    return item.resource
