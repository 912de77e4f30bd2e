"""Who still speaks to a host that is retired: apps elsewhere that were applied with it among their hosts, as a proxy.

Asked by the controller before it releases the work that prunes such a host. What is composed now leaves the host out,
so an app that has converged on that speaks to it no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.model.desired import Desired
from reconciler.model.manifests import Lifecycle, Manifests
from reconciler.model.observed import Applied, AppStatus, ObservedApp, ObservedHost

Pair = tuple[str, str]
"""(host, app)."""


def retired(manifests: Manifests) -> frozenset[str]:
    """Hosts that are to be drained and pruned."""
    return frozenset(name for name, host in manifests.hosts.items() if host.lifecycle is Lifecycle.RETIRE)


def behind(desired: Desired, observed: Mapping[str, ObservedHost]) -> Mapping[Pair, ObservedApp]:
    """Apps that were applied where they stand, and are not converged on what is wanted now."""
    return {
        (host, app): known
        for host, apps in desired.hosts.items()
        if host in observed
        for app, wanted in apps.items()
        if (known := observed[host].apps.get(app))
        if known.digest != wanted.digest or known.status is not AppStatus.CONVERGED
    }


def speakers(host: str, late: Mapping[Pair, ObservedApp], applied: Mapping[Pair, Applied]) -> tuple[Pair, ...]:
    """Those of the apps that are behind which name the host, or may: after a run that failed nobody knows."""
    found: list[Pair] = []
    for pair, form in applied.items():
        named = _named(form.values)
        failed = late[pair].status is not AppStatus.CONVERGED
        if pair[0] != host and (host in named or (failed and named)):
            found.append(pair)
    return tuple(sorted(found))


def _named(values: str) -> frozenset[str]:
    """The hosts that an app looked up when it was composed; none in values that a host made up."""
    try:
        lookups = json.loads(values).get("hosts", {})
        return frozenset(str(found["name"]) for hosts in lookups.values() for found in hosts)
    except (ValueError, TypeError, LookupError, AttributeError):
        return frozenset()
