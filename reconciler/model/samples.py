"""What was measured on a host at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


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
