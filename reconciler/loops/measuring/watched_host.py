"""What a collector knows of a host beside its samples: which checks its apps want, and which rules are about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.alerting.evaluation import Subject, about
from reconciler.alerting.expressions import Scope, compile_metrics
from reconciler.errors import InvalidInput
from reconciler.loops.measuring.app_checks import AppChecks
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Measuring
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class WatchedHost:
    """One host as it is measured."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The apps on it and their labels."""
    checks: tuple[AppChecks, ...] = ()
    rules: tuple[Alert, ...] = ()
    """Those that are about it."""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WatchedOnly:
    """An agent's own host; see `collector.Watching`."""

    host: WatchedHost
    measuring: Measuring

    @property
    def hosts(self) -> tuple[str, ...]:
        """See Watching."""
        return (self.host.name,)

    def of(self, host: str) -> WatchedHost:
        """See Watching."""
        return self.host if host == self.host.name else WatchedHost(host)


def rules_about(rules: Iterable[Alert], host: WatchedHost) -> tuple[Alert, ...]:
    """The rules that are evaluated for a host."""
    subject = Subject(host.name, host.labels, host.apps)
    return tuple(rule for rule in rules if about(rule, subject))


def windows_of(rules: Iterable[Alert]) -> Mapping[str, float]:
    """Each metric that some rules read -> how far they look back at it, in seconds; 0: its newest value only."""
    found: dict[str, float] = {}
    for rule in rules:
        for text in filter(None, (rule.expr, rule.clear)):
            try:
                windows = compile_metrics(text, Scope(each=rule.each or "")).windows
            except InvalidInput:
                continue  # told where the rule is evaluated
            for metric, seconds in windows.items():
                found[metric] = max(seconds, found.get(metric, 0.0))
    return found
