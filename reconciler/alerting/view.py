"""What an expression over metrics can ask of the place where it is evaluated."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from reconciler.alerting.functions import Samples
from reconciler.model.selector import Selector

Value: TypeAlias = "float | bool | str | None"
"""None: not known."""


class View(Protocol):
    """The metrics of a moment, as the place sees them where a rule is evaluated."""

    def value(self, metric: str) -> float | None:
        """The newest value; None if there is none that is fresh."""
        ...

    def window(self, metric: str, seconds: float) -> Samples:
        """The samples of the last seconds."""
        ...

    def all(self, metric: str) -> Samples:
        """The newest values of all filesystems, hosts and so on."""
        ...

    def age(self, metric: str) -> float | None:
        """Seconds since its last sample; None if there never was one."""
        ...

    def fact(self, path: tuple[str, ...]) -> Value:
        """A fact of the host, or a part of `host`."""
        ...

    def firing(self, selector: Selector) -> int:
        """How many alerts fire whose labels match."""
        ...
