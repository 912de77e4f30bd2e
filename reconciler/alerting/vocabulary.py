"""What selectors over alerts can name: rules, severities, hosts, apps and labels. Called by `silence add`.

Rules and severities are all known. A host, an app or a label may come later, so that a selector may be ahead of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from reconciler.model.alerts import ActiveAlert
from reconciler.model.manifests import App, Host, Manifests
from reconciler.model.monitoring import BUILT_IN, Severity
from reconciler.model.selector import Operator, Requirement, Selector
from reconciler.resources.values import dataclass

Vocabulary: TypeAlias = Mapping[str, Collection[str] | None]
"""Label of alerts -> its values; None: those of an `each`, which hosts make up."""

_NAME = "name"
"""Stands for `alert` in selectors."""
_COMPLETE = frozenset({"alert", _NAME, "severity"})
"""Labels that have no other values than those of the vocabulary."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word of a selector that nothing is called by now."""

    requirement: Requirement
    word: str
    known: Sequence[str]
    """What stands in its place: values of the label, or the labels where there is none of that name."""
    label: bool = False
    """It is the label that is unknown, not its value."""

    @property
    def mistaken(self) -> bool:
        """It cannot be meant: nothing is ever called so, or it leaves out nothing of what it was to leave out."""
        return self.requirement.key in _COMPLETE or self.requirement.operator in {Operator.NOT_IN, Operator.ABSENT}


def vocabulary(manifests: Manifests, alerts: Iterable[ActiveAlert]) -> Vocabulary:
    """The labels that alerts of these manifests can have, and those that alerts have now."""
    rules = manifests.alerts.values()
    found: defaultdict[str, set[str]] = defaultdict(set)
    found["alert"] |= {*manifests.alerts, *BUILT_IN}
    found["severity"] |= {severity.value for severity in Severity}
    found["host"] |= set(manifests.hosts)
    found["app"] |= set(manifests.apps)
    metadata = (it.metadata for it in chain[Host | App](manifests.hosts.values(), manifests.apps.values()))
    for labels in chain((it.labels for it in metadata), (it.labels for it in rules), (it.labels for it in alerts)):
        for label, value in labels.items():
            found[label].add(value)
    each = {rule.each: None for rule in rules if rule.each and rule.each != "app"}
    return {**found, _NAME: found["alert"], **each}


def unknown_words(selector: Selector, words: Vocabulary) -> Iterator[Unknown]:
    """What a selector names that is not in the vocabulary."""
    for requirement in selector.requirements:
        if requirement.key not in words:
            yield Unknown(requirement, requirement.key, sorted(words), label=True)
            continue
        values = words[requirement.key]
        if values is not None:
            strange = [value for value in requirement.values if value not in values]
            yield from (Unknown(requirement, value, sorted(values)) for value in strange)
