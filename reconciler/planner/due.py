"""Which apps on which hosts have something to do: digests compared, nothing rendered, nothing fetched.

Called before `diff`, so that the long forms are read only for what is due, and by `diff` itself.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from reconciler.model.desired import Desired, DesiredApp
from reconciler.model.observed import AppStatus, ObservedApp, ObservedHost
from reconciler.planner.past import Past
from reconciler.planner.scope import WHOLE_FLEET, Scope

SecretPrints = Mapping[tuple[str, str], str]
"""(host, app) -> keyed fingerprint of its secrets' values as they are now; what is missing is not known."""


class Due(enum.Enum):
    """Why an app on a host is due, as people read it."""

    NEVER_APPLIED = "never applied here"
    CHANGED = "its manifests, templates or values changed"
    NOT_CONVERGED = "its last run did not converge"
    SECRETS_CHANGED = "one of its secrets changed"
    SECRETS_UNKNOWN = "whether its secrets changed is not known without the key"
    DRIFTED = "the host no longer looks as it was left"
    LEAVING = "it left the manifests of this host"


class Quiet:
    """The hosts at which nothing was due the last time, so that who asks again looks only at the others.

    A host is told by its objects: whoever learns anything new of it makes new ones.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[Mapping[str, DesiredApp], ObservedHost]] = {}
        """What was wanted and what was known."""
        self._secrets: SecretPrints | None = None

    def begin(self, desired: Desired, secrets: SecretPrints | None) -> None:
        """Forget what no longer holds whatever the hosts' objects are."""
        if secrets != self._secrets:
            self._hosts, self._secrets = {}, secrets
        elif len(self._hosts) > len(desired.hosts):
            self._hosts = {host: known for host, known in self._hosts.items() if host in desired.hosts}

    def others(self, desired: Desired, observed: Mapping[str, ObservedHost]) -> Mapping[str, Mapping[str, DesiredApp]]:
        """Those hosts at which something was due, or of which either side is another since."""
        quiet = self._hosts
        return {
            host: apps
            for host, apps in desired.hosts.items()
            if (was := quiet.get(host)) is None or was[0] is not apps or was[1] is not observed.get(host)
        }

    def note(self, host: str, apps: Mapping[str, DesiredApp], known: ObservedHost) -> None:
        """Nothing is due there."""
        self._hosts[host] = apps, known


def due(
    desired: Desired,
    observed: Mapping[str, ObservedHost],
    secrets: SecretPrints | None,
    scope: Scope = WHOLE_FLEET,
    quiet: Quiet | None = None,
) -> tuple[tuple[str, str], ...]:
    """(host, app) pairs that differ from what is known, or that must go, sorted.

    They bear the names under which they are known, so that `Applied` is found for all of them; a pair under an old name
    stands beside the one under the new name.
    """
    quiet = quiet or Quiet()
    quiet.begin(desired, secrets)
    return tuple(sorted(_pairs(desired, observed, secrets, scope, quiet)))


def why_due(wanted: DesiredApp, known: ObservedApp | None, secrets: SecretPrints | None) -> Due | None:
    """Why a desired app is due; None where it is not."""
    if known is None:
        return Due.NEVER_APPLIED
    if known.digest != wanted.digest:
        return Due.CHANGED
    if known.status is not AppStatus.CONVERGED:
        return Due.NOT_CONVERGED
    if wanted.secrets:
        if secrets is None:
            return Due.SECRETS_UNKNOWN
        now = secrets.get((wanted.host, wanted.app), "")
        if now != known.secrets:
            return Due.SECRETS_CHANGED if now and known.secrets else Due.SECRETS_UNKNOWN
    return Due.DRIFTED if known.drift else None


def _pairs(
    desired: Desired,
    observed: Mapping[str, ObservedHost],
    secrets: SecretPrints | None,
    scope: Scope,
    quiet: Quiet,
) -> Iterator[tuple[str, str]]:
    past = Past(desired, observed)
    for host, apps in quiet.others(desired, observed).items():
        if not scope.host(host):
            continue
        own = observed.get(host)
        known = own.apps if own else {}
        found = [app for app, wanted in apps.items() if why_due(wanted, known.get(app), secrets) is not None]
        yield from ((host, app) for app in found if scope.app(app))
        if own is not None and own.apps.keys() == apps.keys():
            if not found:
                quiet.note(host, apps, own)
        else:
            yield from _under_old_names(past, host, scope)


def _under_old_names(past: Past, host: str, scope: Scope) -> Iterator[tuple[str, str]]:
    """What is known under names that the manifests do not give it any more."""
    known = past.host(host)
    if known is None:
        return
    name, found = known
    wanted = past.wanted(host) if name == host else frozenset()
    covered = {old for app in past.wanted(host) if scope.app(app) for old in past.names(host, app)}
    yield from ((name, app) for app in found.apps if app not in wanted and (scope.app(app) or app in covered))
