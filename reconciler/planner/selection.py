"""Finds the hosts that a selector picks without asking every host, for `hosts(selector)` in templates and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from reconciler.model.manifests import Host, Lifecycle
from reconciler.model.selector import Operator, Requirement, Selector
from reconciler.planner.placement import Standing

_ByValue: TypeAlias = Mapping[str, list[str]]


class HostIndex:
    """The hosts of one revision by name, label and app."""

    def __init__(self, hosts: Mapping[str, Host], standings: Mapping[str, Standing]) -> None:
        self._hosts = hosts
        self._standings = standings
        self._by_key: dict[str, _ByValue] = {}

    def select(self, selector: Selector) -> tuple[str, ...]:
        """Names of the hosts that the selector picks, sorted; others are not to speak to a host that is retired."""
        narrowed = [self._candidates(term) for term in selector.requirements if term.operator is Operator.IN]
        candidates = min(narrowed, key=len) if narrowed else list(self._hosts)
        return tuple(sorted(name for name in set(candidates) if self._matches(selector, name)))

    def _matches(self, selector: Selector, name: str) -> bool:
        host = self._hosts[name]
        retired = host.lifecycle is Lifecycle.RETIRE
        return not retired and selector.matches(name, host.metadata.labels, self._standings[name].apps)

    def _candidates(self, term: Requirement) -> list[str]:
        if term.key == "name":
            return [value for value in term.values if value in self._hosts]
        index = self._by_key.get(term.key)
        if index is None:
            index = self._by_key[term.key] = self._index(term.key)
        return [name for value in term.values for name in index.get(value, ())]

    def _index(self, key: str) -> _ByValue:
        found: dict[str, list[str]] = {}
        for name, host in self._hosts.items():
            labels = host.metadata.labels
            values = self._standings[name].apps if key == "app" else (labels[key],) if key in labels else ()
            for value in values:
                found.setdefault(value, []).append(name)
        return found
