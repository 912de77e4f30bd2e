"""The kinds that there are, and the way from a wanted resource to one of them.

A new kind is one module and one line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import Context, Resource
from reconciler.resources.protocol import Wanted
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass

_CLASSES = {
    "archive": "Archive",
    "command": "Command",
    "cron": "Cron",
    "directory": "Directory",
    "file": "File",
    "group": "Group",
    "line": "Line",
    "link": "Link",
    "mount": "Mount",
    "package": "Package",
    "repository": "Repository",
    "service": "Service",
    "sysctl": "Sysctl",
    "user": "User",
}
"""Kind, which is also its module's name -> its class."""


class _Kinds(Mapping[str, Any]):
    """The classes, each loaded when it is first asked for: an app needs few of them, and every start pays for each."""

    def __getitem__(self, kind: str) -> Any:
        name = _CLASSES[kind]
        return getattr(import_module(f"{__package__}.{kind}"), name)

    def __contains__(self, kind: object) -> bool:
        return kind in _CLASSES

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


KINDS: Mapping[str, Any] = _Kinds()
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
    """The resource with what only the host's ledger knows."""
    ran = owned is not None and owned.fingerprint == item.wanted.fingerprint
    return item.resource.within(Context(ran, declared, replaces, owned.fields if owned else {}))
