"""Why an app is not applied on a host just now although something differs; asked by `diff`, shown with the plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler.model.desired import DesiredApp
from reconciler.model.manifests import App, DriftPolicy, Host, Sync
from reconciler.model.observed import AppStatus, ObservedApp, ObservedHost
from reconciler.planner.due import Due, why_due
from reconciler.planner.freezing import frozen
from reconciler.planner.inputs import PlanInput
from reconciler.planner.past import Past
from reconciler.resources.values import dataclass


def held_back(given: PlanInput, past: Past, host: str, app: str) -> str:
    """Why an app that is wanted or known on a host is not applied there now; empty where nothing keeps it."""
    heard = past.host(host)
    wanted = given.desired.hosts.get(host, {}).get(app)
    known = past.app(host, app) if wanted else heard[1].apps.get(app) if heard else None
    manifest = given.manifests.apps.get(app)
    now = (given.secrets or {}).get((host, app), "")
    due = why_due(wanted, known, given.secrets) if wanted else None
    standstill = Standstill(
        name=app,
        wanted=wanted,
        app=manifest,
        host=given.manifests.hosts.get(host),
        known_host=heard[1] if heard else None,
        known=known,
        due=due,
        drift=manifest.drift if manifest else DriftPolicy.HEAL,
        named=given.scope.apps is not None and app in given.scope.apps,
        frozen="" if given.scope.override_freeze else frozen(given.manifests, host, app, due, given.now),
        rotated=bool(known and known.secrets and now and known.secrets != now),
    )
    return standstill.reason(given.now)


@dataclass(frozen=True, slots=True)
class Standstill:
    """What may keep an app from being applied on a host; whatever is None has no say."""

    name: str
    """The app's."""
    wanted: DesiredApp | None
    """None where the app leaves the host."""
    app: App | None
    host: Host | None
    known_host: ObservedHost | None
    known: ObservedApp | None
    due: Due | None = None
    """Why the app is due; None where it leaves."""
    drift: DriftPolicy = DriftPolicy.HEAL
    named: bool = False
    """A person asked for this app by name, which approves it and tries it again."""
    frozen: str = ""
    """Which freeze its change waits for, and why there is one."""
    rotated: bool = False
    """Its secrets are others than those that it was last tried with."""

    def reason(self, now: datetime) -> str:
        """All reasons, most decisive first; empty where the app goes ahead."""
        return "; ".join((*self._of_host(now), *self._of_app()))

    def _of_host(self, now: datetime) -> Iterator[str]:
        if self.known_host is not None and (reason := self.known_host.paused.get("*")):
            yield f"host paused: {reason}"
        pause = self.host.maintenance if self.host is not None else None
        if pause is not None and pause.drain and pause.until > now:
            yield f"maintenance until {pause.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {pause.reason}"

    def _of_app(self) -> Iterator[str]:
        if self.known_host is not None and (reason := self.known_host.paused.get(self.name)):
            yield f"paused: {reason}"
        if self.frozen:
            yield self.frozen
        known, wanted = self.known, self.wanted
        if wanted is None:
            return
        if self.named:
            return
        rejected = self.known_host is not None and wanted.digest in self.known_host.rejected
        if rejected and not self.rotated:
            unconfirmed = known is not None and known.status is AppStatus.UNCONFIRMED
            why = "it cut this host off from Redis twice" if unconfirmed else "it failed here before"
            yield f"{why}; change it, or try again: reconcile apply --app {self.name}"
        manual = self.app is not None and self.app.sync is Sync.MANUAL
        if manual and (known is None or known.digest != wanted.digest):
            yield f"waits for approval: reconcile apply --app {self.name}"
        if self.app is not None and self.app.rollout and (known is None or known.digest != wanted.digest):
            what = "its rollout steps are not carried out by this version"
            yield f"{what}; all hosts at once: reconcile apply --app {self.name}"
        if self.due is Due.DRIFTED and self.drift is DriftPolicy.REPORT:
            yield f"drift is only reported; put it right: reconcile apply --app {self.name}"
