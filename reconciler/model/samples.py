"""What was measured on a host at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from reconciler.model.metrics import KEPT, METRICS
from reconciler.resources.values import dataclass, field


class Series(NamedTuple):
    """One metric of one thing: `Series("filesystem.percent", "/var")`; metrics of the host itself have no instance."""

    metric: str
    instance: str = ""

    def __str__(self) -> str:
        return f"{self.metric}[{self.instance}]" if self.instance else self.metric

    @classmethod
    def parse(cls, text: str) -> Series:
        """The inverse of `str`."""
        metric, bracket, rest = text.partition("[")
        return cls(metric, rest[:-1]) if bracket and rest.endswith("]") else cls(text)


@dataclass(frozen=True, slots=True)
class Sample:
    """Numbers by series, taken at once."""

    at: datetime
    values: Mapping[Series, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a host is measured, and what is kept of it for how long."""

    interval_seconds: float = 5.0
    raw_seconds: float = 86_400.0
    rollup_seconds: float = 30 * 86_400.0
    metrics: frozenset[str] | None = None
    """Those that are kept as series; None: KEPT and what apps measure of their own."""

    @property
    def fresh_seconds(self) -> float:
        """A sample that is older does not say how it is now."""
        return max(3 * self.interval_seconds, 30.0)

    def keeps(self, metric: str) -> bool:
        """Whether it is kept as a series."""
        if self.metrics is not None:
            return metric in self.metrics
        return metric in KEPT or metric not in METRICS
