"""What an expression over the fleet sees: the newest value of each host, and the alerts that fire.

Made by `fleet_evaluation` for rules with `scope: fleet`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Self

from reconciler.alerting.functions import Samples
from reconciler.alerting.muting import selects
from reconciler.alerting.view import Value
from reconciler.model.alerts import ActiveAlert
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class FleetView:
    """Implements `View`; a metric that no host has is not known."""

    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Metric -> the newest value of every host that is not stale, and of everything that there are several of."""
    alerts: Sequence[ActiveAlert] = ()

    @classmethod
    def of(
        cls, hosts: Mapping[str, Mapping[str, float]], picked: Collection[str], alerts: Sequence[ActiveAlert]
    ) -> Self:
        """What some of the hosts have, given by the texts of series: `filesystem.percent[/var]` is one of many."""
        values: dict[str, list[float]] = {}
        for host in sorted(hosts.keys() & set(picked)):
            for series, value in hosts[host].items():
                values.setdefault(series.partition("[")[0], []).append(value)
        return cls(values, alerts)

    def value(self, metric: str) -> float | None:  # noqa: ARG002 - over the fleet there is no single value
        return None

    def window(self, metric: str, seconds: float) -> Samples:  # noqa: ARG002 - as above
        return Samples()

    def all(self, metric: str) -> Samples:
        found = self.values.get(metric, ())
        return Samples([0.0] * len(found), found)

    def age(self, metric: str) -> float | None:  # noqa: ARG002 - as above
        return None

    def fact(self, path: tuple[str, ...]) -> Value:  # noqa: ARG002 - as above
        return None

    def firing(self, selector: Selector) -> int:
        return sum(alert.state.told and selects(selector, alert) for alert in self.alerts)
