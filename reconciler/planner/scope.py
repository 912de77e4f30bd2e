"""Which part of the fleet a plan covers: `--host`, `--app` and selectors, resolved by the caller to names."""

from __future__ import annotations

from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Names of hosts and apps; None: all of them."""

    hosts: frozenset[str] | None = None
    apps: frozenset[str] | None = None
    override_freeze: bool = False
    """Whether what a freeze holds goes ahead all the same."""
    override_drain: bool = False
    """Whether hosts that are retired are pruned although others may still speak to them."""

    def host(self, name: str) -> bool:
        """Whether the host is covered."""
        return self.hosts is None or name in self.hosts

    def app(self, name: str) -> bool:
        """Whether the app is covered, on the hosts that are."""
        return self.apps is None or name in self.apps


WHOLE_FLEET = Scope()
