"""Apps with `confirm` reach hosts one app at a time: while one is not confirmed everywhere, no other starts.

Asked by the controller before it releases work. What cuts hosts off is then known by its name, and the fleet is not
changed further by anything that could do the same. Also here: when what was taken back is tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from reconciler.model.desired import Desired
from reconciler.model.manifests import Manifests
from reconciler.model.observed import AppStatus, ObservedHost

Pair = tuple[str, str]
"""(host, app)."""

SECOND_TRY = timedelta(seconds=60)
"""How long at least something that was taken back is left alone; at most twice as long, by a hash."""


def second_try_at(host: str, app: str, digest: str, taken_back_at: datetime) -> datetime:
    """When to try again: hosts that were cut off together do not come back together."""
    chance = int.from_bytes(hashlib.sha256(f"{host} {app} {digest}".encode()).digest()[:4]) / (1 << 32)
    return taken_back_at + SECOND_TRY * (1 + chance)


def has_confirm(manifests: Manifests, app: str) -> bool:
    """Whether an app has to be confirmed."""
    return app in manifests.apps and bool(manifests.apps[app].confirm_seconds)


class OnTrial:
    """Answers for one moment's desired and observed state.

    Args:
        at_work: pairs that an agent has been given and has not reported of.
    """

    def __init__(
        self,
        manifests: Manifests,
        desired: Desired,
        observed: Mapping[str, ObservedHost],
        at_work: Collection[Pair] = (),
    ) -> None:
        self._desired = desired
        self._observed = observed
        self._apps = frozenset(name for name in manifests.apps if has_confirm(manifests, name))
        known = {(host, app) for host, apps in desired.hosts.items() for app in self._apps & apps.keys()}
        self._unsettled = sorted(pair for pair in known if pair in at_work or self._open(*pair))
        self._under_way = frozenset(app for _, app in self._unsettled)

    def concerns(self, pair: Pair) -> bool:
        """Whether the app has to be confirmed."""
        return pair[1] in self._apps

    def choices(self, pairs: Iterable[Pair]) -> Iterator[tuple[Pair, ...]]:
        """The pairs that may be released together, with one app that has to be confirmed; at last those with none."""
        asked = tuple(pairs)
        apps = {app for _, app in asked if app in self._apps}
        for app in sorted(self._under_way & apps if self._under_way else apps):
            yield tuple(pair for pair in asked if not self.concerns(pair) or (pair[1] == app and self._free(pair)))
        yield tuple(pair for pair in asked if not self.concerns(pair))

    def waiting(self, pairs: Iterable[Pair]) -> Mapping[Pair, str]:
        """Those of the pairs that have to wait, each with what for: `firewall to be confirmed on web-1`."""
        return {pair: self._reason(pair) for pair in pairs if self.concerns(pair) and not self._free(pair)}

    def _free(self, pair: Pair) -> bool:
        """An app does not wait for itself, so that a second try and a fix get through; one app goes first."""
        return self._under_way <= {pair[1]} or pair in self._unsettled

    def _reason(self, pair: Pair) -> str:
        others = [(host, app) for host, app in self._unsettled if app != pair[1]]
        app = others[0][1]
        return f"{app} to be confirmed on {', '.join(host for host, name in others if name == app)}"

    def _open(self, host: str, app: str) -> bool:
        """Whether a trial of what is wanted now runs there, or is to be tried again."""
        known = self._observed.get(host)
        found = known.apps.get(app) if known else None
        wanted = self._desired.hosts[host][app].digest
        if known is None or found is None or found.digest != wanted or known.paused_for(app):
            return False
        again = found.status is AppStatus.UNCONFIRMED and wanted not in known.rejected
        return again or found.status is AppStatus.CONFIRMING
