"""A view made of values that a test writes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.alerting.functions import Samples
from reconciler.alerting.view import Value
from reconciler.model.selector import Selector


@dataclass(frozen=True)
class Written:
    """Metrics by name: the newest value, and the samples before it, a second apart."""

    values: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, list[float]] = field(default_factory=dict)
    many: Mapping[str, list[float]] = field(default_factory=dict)
    facts: Mapping[tuple[str, ...], Value] = field(default_factory=dict)
    alerts: tuple[Mapping[str, str], ...] = ()

    def value(self, metric: str) -> float | None:
        return self.values.get(metric)

    def window(self, metric: str, seconds: float) -> Samples:
        found = self.series.get(metric, [])[-int(seconds) :]
        return Samples([float(second) for second in range(len(found))], found)

    def all(self, metric: str) -> Samples:
        found = self.many.get(metric, [])
        return Samples([0.0] * len(found), found)

    def age(self, metric: str) -> float | None:
        return 0.0 if metric in self.values else None

    def fact(self, path: tuple[str, ...]) -> Value:
        return self.facts.get(path)

    def firing(self, selector: Selector) -> int:
        return sum(selector.matches("", labels) for labels in self.alerts)
