"""The order in which apps depend on each other; asked by the composer (for cycles) and by executors.

What a dependency waits for (health, agreeing labels) is the executor's and the rollout's business.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from reconciler.errors import InvalidInput


def order_apps(depends: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """All keys of `depends`, dependencies first, equals by name; names that are no key are ignored.

    Raises:
        InvalidInput: apps depend on each other in a circle; the message names its members.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for app in sorted(depends):
        sorter.add(app, *sorted(set(depends[app]) & depends.keys()))
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(_from_smallest(error.args[1]))
        raise InvalidInput.of(
            "dependency-cycle", f"apps depend on each other: {circle}", hint="Remove one of these dependsOn."
        ) from None
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(ready)
        sorter.done(*ready)
    return tuple(ordered)


def _from_smallest(cycle: list[str]) -> list[str]:
    """A cycle as `graphlib` gives it (dependency first, first = last), the other way round from its smallest name."""
    members = cycle[:0:-1]
    start = members.index(min(members))
    return [*members[start:], *members[:start], members[start]]
