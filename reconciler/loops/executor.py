"""Brings hosts to what was signed for them: claim, verify, render, apply, report.

Called by `watch`, by one-shot commands and by agents. It decides nothing about what should be: it reads the current
statement when it starts, refuses what does not verify, and tells the store what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from reconciler.clock import Clock, ulid
from reconciler.errors import Place, ReconcilerError, Refused, Unavailable
from reconciler.loops import ledger_view
from reconciler.loops.app_run import AppRun, Look, Secrets
from reconciler.loops.host_view import HostView
from reconciler.loops.keeper import LEASE_SECONDS, Keeper
from reconciler.loops.outcome import AppOutcome, HostOutcome, Listener, busy, internal_error
from reconciler.model.desired import Bundle
from reconciler.model.observed import AppStatus, ObservedApp
from reconciler.model.work import Claim, Lease, WorkState
from reconciler.rendering import Renderer
from reconciler.resources.ledger import Ledger
from reconciler.store import Store, host_lease
from reconciler.transport import Transport
from reconciler.trust import Masker, TrustedKeys, verify

_CLAIMS = 100
_RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Executor:
    """Works on the hosts within its reach.

    Args:
        reach: opens a host; raises Unavailable.
        renderer: the renderer of a bundle, kept between calls.
        trusted: the keys whose statements count here.
        holder: the name under which it takes leases.
    """

    fleet: str
    store: Store
    reach: Callable[[str], Transport]
    renderer: Callable[[Bundle], Renderer]
    secrets: Secrets
    masker: Masker
    trusted: TrustedKeys
    holder: str
    clock: Clock
    listener: Listener

    def tick(self, hosts: Iterable[str]) -> tuple[HostOutcome, ...]:
        """Converge each of these hosts that has work and is free; one outcome for each that was worked on."""
        outcomes = (self._converge_safely(host) for host in hosts)
        return tuple(outcome for outcome in outcomes if outcome)

    def _converge_safely(self, host: str) -> HostOutcome | None:
        """A mistake of this program on one host keeps no other host waiting."""
        try:
            return self._converge(host)
        except ReconcilerError:
            raise
        except Exception as error:  # noqa: BLE001 - told, and the other hosts go on
            return internal_error(host, error)

    def verify(self, host: str, apps: Sequence[str] | None = None) -> HostOutcome:
        """Look at a host, read-only, and record what differs. With `apps` None: at all its apps."""
        started = self.clock.monotonic()
        lease = self.store.leases.acquire(host_lease(host), self.holder, LEASE_SECONDS)
        if lease is None:
            return busy(host)
        try:
            with Keeper(lambda: self.store.leases.renew(lease, LEASE_SECONDS)), closing(self.reach(host)) as transport:
                view = self._view(host, transport, lease)
                names = [app for app in view.order() if apps is None or app in apps]
                run = self._run(view, transport, Look.ONLY, lease)
                found = tuple(run.perform(app) for app in names)
        except Unavailable as error:
            return HostOutcome(host, unreachable=str(error))
        except Refused as error:
            found = (AppOutcome("", AppStatus.REFUSED, problems=tuple(error.problems)),)
        finally:
            self.store.leases.release(lease)
        return HostOutcome(host, found, self.clock.monotonic() - started)

    def _converge(self, host: str) -> HostOutcome | None:
        lease = self.store.leases.acquire(host_lease(host), self.holder, LEASE_SECONDS)
        if lease is None:
            return None
        claims: Mapping[str, Claim] = {}
        try:
            claims = self._claim(host)
            if not claims:
                return None
            with Keeper(lambda: self._renew(lease, claims.values())):
                outcome = self._work(host, lease, claims)
        except BaseException:  # interrupted: the next run need not wait for leases to run out
            self._put_back(claims.values(), "interrupted", timedelta())
            raise
        finally:
            self.store.leases.release(lease)
        self.listener.finished(outcome)
        return outcome

    def _claim(self, host: str) -> dict[str, Claim]:
        nonce = ulid(self.clock.now())
        found = self.store.work.claim(host, holder=self.holder, nonce=nonce, limit=_CLAIMS, lease_seconds=LEASE_SECONDS)
        return {str(claim.work.args["app"]): claim for claim in found}

    def _renew(self, lease: Lease, claims: Iterable[Claim]) -> bool:
        for claim in claims:
            self.store.work.renew(claim, LEASE_SECONDS)
        return self.store.leases.renew(lease, LEASE_SECONDS)

    def _work(self, host: str, lease: Lease, claims: Mapping[str, Claim]) -> HostOutcome:
        started = self.clock.monotonic()
        try:
            with closing(self.reach(host)) as transport:
                view = self._view(host, transport, lease)
                apps = tuple(self._each(view, transport, lease, claims))
        except Unavailable as error:
            self._put_back(claims.values(), str(error), _RETRY)
            return HostOutcome(host, unreachable=str(error), seconds=self.clock.monotonic() - started)
        except Refused as error:
            apps = self._refuse(host, lease, claims, error)
        return HostOutcome(host, apps, self.clock.monotonic() - started)

    def report(self, hosts: Iterable[str]) -> None:
        """Let hosts tell what they know of themselves where Redis knows less, as after it was emptied."""
        for host in hosts:
            lease = self.store.leases.acquire(host_lease(host), self.holder, LEASE_SECONDS)
            if lease is None:
                continue
            try:
                with closing(self.reach(host)) as transport:
                    self._report(host, transport.ledger(), lease)
            except Unavailable:
                continue  # told when there is work for it
            finally:
                self.store.leases.release(lease)

    def _report(self, host: str, ledger: Ledger, lease: Lease) -> None:
        known = self.store.observed.read([host]).get(host)
        unknown = {
            name: record
            for name, record in ledger.apps.items()
            if record.status and (known is None or known.generation_of(name) < record.generation)
        }
        if not unknown:
            return
        apps = {
            name: (ledger_view.observed_app(record), ledger_view.applied(record)) for name, record in unknown.items()
        }
        self.store.observed.write(host, apps, lease.term)
        rejected = {digest for record in ledger.apps.values() for digest in record.rejected}
        self.store.observed.write_ledger(host, generation=ledger.generation, paused=ledger.paused, rejected=rejected)

    def _view(self, host: str, transport: Transport, lease: Lease) -> HostView:
        """The host's verified desired state.

        Raises:
            Refused: there is no statement, it does not verify, or its content is not what was signed.
        """
        ledger = transport.ledger()
        self._report(host, ledger, lease)
        desired = self.store.desired.read(host)
        if desired is None:
            raise Refused.of(
                "no-statement",
                "nothing signed says what should be here; nothing was touched",
                place=Place(host=host),
                hint="Write it: reconcile apply",
            )
        statement = verify(desired.signed, self.trusted, fleet=self.fleet, host=host, seen=ledger.generation)
        bundles = self.store.desired.bundles({app.bundle for app in desired.apps.values()})
        return HostView.signed(statement, desired.apps, bundles, self.renderer)

    def _each(
        self, view: HostView, transport: Transport, lease: Lease, claims: Mapping[str, Claim]
    ) -> Iterable[AppOutcome]:
        run = self._run(view, transport, Look.THEN_ACT, lease)
        known = transport.ledger().apps
        removed = [app for app in sorted(claims) if app not in view.apps and app in known]
        for app in sorted(claims.keys() - view.apps.keys() - set(removed)):
            self.store.work.finish(claims[app], WorkState.SKIPPED, {"reason": "neither signed nor on the host"})
        ended: dict[str, AppOutcome] = {}
        for app in [*(app for app in view.order() if app in claims), *removed]:
            missing = next((name for name in view.dependencies(app) if name in ended and not ended[name].well), "")
            self.listener.started(view.host, app)
            outcome = run.waits(app, missing) if missing else run.perform(app)
            ended[app] = outcome
            self._finish(claims[app], outcome)
            yield outcome

    def _run(self, view: HostView, transport: Transport, look: Look, lease: Lease) -> AppRun:
        facts = transport.facts()
        self.store.observed.write_facts(view.host, facts)
        return AppRun(
            view=view,
            transport=transport,
            facts=facts,
            look=look,
            token=lease.term,
            store=self.store,
            secrets=self.secrets,
            masker=self.masker,
            clock=self.clock,
            listener=self.listener,
        )

    def _finish(self, claim: Claim, outcome: AppOutcome) -> None:
        state = WorkState.SUCCEEDED if outcome.well else WorkState.FAILED
        self.store.work.finish(claim, state, {"status": outcome.status.value})

    def _put_back(self, claims: Iterable[Claim], reason: str, after: timedelta) -> None:
        retry_at = self.clock.now() + after
        for claim in claims:
            self.store.work.finish(claim, WorkState.RETRYING, {"reason": reason}, retry_at=retry_at)

    def _refuse(
        self, host: str, lease: Lease, claims: Mapping[str, Claim], error: ReconcilerError
    ) -> tuple[AppOutcome, ...]:
        now = self.clock.now()
        refused = ObservedApp(0, "", AppStatus.REFUSED, error=str(error), finished_at=now)
        self.store.observed.write(host, dict.fromkeys(claims, (refused, None)), lease.term)
        outcomes = tuple(AppOutcome(app, AppStatus.REFUSED, problems=tuple(error.problems)) for app in claims)
        for outcome in outcomes:
            self._finish(claims[outcome.app], outcome)
        self.store.journal.append("refused", host=host, reason=str(error))
        return outcomes
