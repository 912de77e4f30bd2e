"""All sound documents of a tree by kind and name, and the hosts that selectors pick.

Built by the loader for `checks`. Works on sets of hosts by label, so that 10,000 hosts stay cheap.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, TypeVar

from reconciler.errors import Problem
from reconciler.manifests.kinds import KINDS
from reconciler.manifests.parsed import Document, Parsed, Template
from reconciler.model.manifests import App, Fleet, Group, Host, Job
from reconciler.model.selector import Operator, Requirement, Selector

_T = TypeVar("_T")
Labels: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]
"""Label -> value -> hosts that have it."""


def kept(before: Mapping[str, _T], now: Mapping[str, _T]) -> Mapping[str, _T]:
    """The mapping of the last load where it holds the very same manifests, so that identity tells change."""
    same = before.keys() == now.keys() and all(map(operator.is_, map(before.__getitem__, now), now.values()))
    return before if same else now


class Labelled(NamedTuple):
    """Hosts and their labels, which hold for as long as the hosts are the same."""

    hosts: Mapping[str, Host]
    labels: Labels


class Index:
    """What the checks ask for. Built anew for every load.

    Args:
        files: all that was read.
        before: the hosts of the last load.
    """

    def __init__(self, files: Iterable[Parsed], before: Labelled | None = None) -> None:
        self._before = before or Labelled({}, {})
        self.documents: dict[str, dict[str, Document]] = {kind: {} for kind in KINDS}
        self.doubles: list[tuple[Document, Document]] = []
        """A document, and the earlier one whose name it takes."""
        self.templates: dict[str, str] = {}
        self.unusable: dict[str, str] = {}
        """Files below templates/ that are no templates -> why."""
        self._faulty: list[Template] = []
        self._broken: set[tuple[str, str]] = set()
        self._opaque = False
        self._selected: dict[Selector, frozenset[str]] = {}
        self._placing: set[str] = set()
        taken: dict[tuple[str, str], Document] = {}
        for file in files:
            self._broken |= file.broken
            self._opaque = self._opaque or file.opaque
            for document in file.documents:
                kind, name = document.kind, document.value.metadata.name
                first = taken.setdefault((kind, name.lower()), document)
                if first is document:
                    self.documents[kind][name] = document
                else:
                    self.doubles.append((document, first))
            if file.template:
                self._add_template(file.template)

    def _add_template(self, template: Template) -> None:
        if template.unusable:
            self.unusable[template.name] = template.unusable
            return
        self.templates[template.name] = template.text
        if template.problems:
            self._faulty.append(template)

    def template_problems(self) -> Iterator[Problem]:
        """What is wrong with the Jinja of files that are rendered, or that templates may include."""
        named = [
            claim
            for kind in ("App", "Job", "Channel")
            for d in self.documents[kind].values()
            for claim in d.claims.templates
        ]
        rendered = {name for path, name in named if path[-1] == "template"}
        copied = {name for path, name in named if path[-1] != "template"} - rendered
        for template in self._faulty:
            if template.name not in copied:
                yield from template.problems

    @property
    def fleet(self) -> Fleet | None:
        return next((document.value for document in self.documents["Fleet"].values()), None)

    @cached_property
    def hosts(self) -> Mapping[str, Host]:
        return kept(self._before.hosts, self.named("Host"))

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        return self.named("Group")

    @cached_property
    def apps(self) -> Mapping[str, App]:
        return self.named("App")

    @cached_property
    def jobs(self) -> Mapping[str, Job]:
        return self.named("Job")

    def named(self, kind: str) -> Mapping[str, Any]:
        """The values of a kind by name, in name order."""
        documents = self.documents[kind]
        return {name: documents[name].value for name in sorted(documents)}

    def certain(self, kind: str) -> bool:
        """Whether all documents of a kind are known: with broken ones around, absence proves nothing."""
        return not self._opaque and all(broken != kind for broken, _ in self._broken)

    def may_exist(self, kind: str, name: str) -> bool:
        """Whether there is such a document, or a broken one that may be it."""
        return name in self.documents[kind] or (kind, name) in self._broken or self._opaque

    @cached_property
    def labels(self) -> Labels:
        if self.hosts is self._before.hosts:
            return self._before.labels
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for name, host in self.hosts.items():
            for label, value in host.labels.items():
                found[label][value].add(name)
        return {label: {value: frozenset(hosts) for value, hosts in values.items()} for label, values in found.items()}

    @cached_property
    def sandboxes(self) -> frozenset[str]:
        """Hosts with a sandboxRoot."""
        return frozenset(name for name, host in self.hosts.items() if host.sandbox_root is not None)

    @cached_property
    def _everything(self) -> frozenset[str]:
        return frozenset(self.hosts)

    def placed(self, app: str) -> frozenset[str]:
        """Hosts that an app runs on. A circle of selectors (told by `checks`) counts as nowhere."""
        if app not in self.apps or app in self._placing:
            return frozenset()
        self._placing.add(app)
        try:
            return self.select(self.apps[app].hosts)
        finally:
            self._placing.discard(app)

    def select(self, selector: Selector) -> frozenset[str]:
        """Names of the hosts that a selector picks; equal to `Selector.matches` on each of them."""
        if selector not in self._selected:
            found = self._everything
            for requirement in selector.requirements:
                found &= self._holding(requirement)
            self._selected[selector] = found
        return self._selected[selector]

    def _holding(self, requirement: Requirement) -> frozenset[str]:
        if requirement.operator in {Operator.EXISTS, Operator.ABSENT}:
            present = self._having(requirement)
            return present if requirement.operator is Operator.EXISTS else self._everything - present
        wanted = frozenset[str]().union(*self._fitting(requirement))
        return wanted if requirement.operator is Operator.IN else self._everything - wanted

    def _having(self, requirement: Requirement) -> frozenset[str]:
        """Hosts that have what the requirement speaks of, whatever its value."""
        if requirement.key == "name":
            return self._everything
        if requirement.key == "app":
            return frozenset[str]().union(*self._fitting(requirement))
        return frozenset[str]().union(*self.labels.get(requirement.key, {}).values())

    def _fitting(self, requirement: Requirement) -> Iterator[frozenset[str]]:
        """For each value, the hosts that have it."""
        for value in requirement.values:
            if requirement.key == "name":
                yield frozenset({value}) & self._everything
            elif requirement.key == "app":
                yield self.placed(value)
            else:
                yield self.labels.get(requirement.key, {}).get(value, frozenset())
