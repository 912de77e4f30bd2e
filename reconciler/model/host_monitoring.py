"""What the agent of a host is to measure and to alert of. Written by the controller into the host's slot.

It is not signed: whoever can write it can write the samples and alerts as well, and it names nothing to run. What is
run, the checks and metrics of apps, comes from the signed bundles.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.monitoring import Alert
from reconciler.model.samples import Measuring
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class HostMonitoring:
    """Of one host."""

    measuring: Measuring = field(default_factory=Measuring)
    labels: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Its apps and their labels."""
    rules: tuple[Alert, ...] = ()
    """Those that are about it."""
