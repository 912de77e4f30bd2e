"""Brings hosts to what was signed for them: claim, verify, render, apply, report.

Called by `watch`, by one-shot commands and by agents. It decides nothing about what should be: it reads the current
statement when it starts, refuses what does not verify, and tells the store what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import TypeVar

from reconciler.clock import Clock, ulid
from reconciler.errors import NOWHERE, Place, ReconcilerError, Refused, Unavailable
from reconciler.loops.converging.app_run import AppRun, Look, Secrets
from reconciler.loops.converging.outcome import AppOutcome, HostOutcome, Listener, busy, internal_error
from reconciler.loops.hosts.catching_up import CatchingUp
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.hosts.host_view import HostView
from reconciler.loops.keeper import LEASE_SECONDS, Keeper, renewal_seconds
from reconciler.model.desired import Bundle
from reconciler.model.observed import AppStatus, ObservedApp
from reconciler.model.work import CONVERGE, Claim, Lease, WorkState
from reconciler.rendering import Renderer
from reconciler.resources.values import dataclass, field, replace
from reconciler.store import Store, host_lease
from reconciler.transport import Transport
from reconciler.trust import Masker, TrustedKeys, verify

Found = TypeVar("Found")
_CLAIMS = 100
_RETRY = timedelta(seconds=30)


@dataclass(slots=True)
class _Held:
    """What is held of a host that is worked on."""

    lease: Lease
    claims: Mapping[str, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Executor:
    """Works on the hosts within its reach.

    Args:
        reach: opens a host; raises Unavailable.
        crew: works on several hosts across the network at once.
        renderer: the renderer of a bundle, kept between calls.
        trusted: gives the keys whose statements count here.
        holder: the name under which it takes leases.
        alone: nobody else may work on its hosts, so it waits for no lease; an agent.
        confirm: whether an app that was just applied on trial stands; only an agent can tell.
        lease_seconds: how long work stays ours without a renewal.
    """

    fleet: str
    store: Store
    reach: Callable[[str], Transport]
    crew: Crew
    renderer: Callable[[Bundle], Renderer]
    secrets: Secrets
    masker: Masker
    trusted: Callable[[], TrustedKeys]
    holder: str
    clock: Clock
    listener: Listener
    alone: bool = False
    confirm: Callable[[str], bool] = lambda _: False
    lease_seconds: float = LEASE_SECONDS
    _held: dict[str, _Held] = field(default_factory=dict)
    """What is worked on just now, by host; each thread adds and removes its own."""

    def tick(self, hosts: Iterable[str]) -> tuple[HostOutcome, ...]:
        """Converge each of these hosts that has work and is free; one outcome for each that was worked on."""
        return tuple(outcome for outcome in self._each_host(self.converge, hosts) if outcome)

    def verify_all(self, hosts: Iterable[str], apps: Sequence[str] | None = None) -> tuple[HostOutcome, ...]:
        """`verify` each of these hosts."""
        return tuple(self._each_host(lambda host: self.verify(host, apps), hosts))

    def converge(self, host: str) -> HostOutcome | None:
        """Converge one host; None if it has no work, or someone else works on it."""
        return _by_itself(host, lambda: self._converge(host))

    def verify(self, host: str, apps: Sequence[str] | None = None) -> HostOutcome:
        """Look at a host, read-only, and record what differs. With `apps` None: at all its apps."""
        return _by_itself(host, lambda: self._verify(host, apps))

    def _each_host(self, work: Callable[[str], Found], hosts: Iterable[str]) -> list[Found]:
        """What the work gives for each host. Interrupted, it lets go of those that its threads still work on."""
        try:
            return self.crew.each(work, hosts)
        except BaseException:
            with suppress(Unavailable):
                for held in tuple(self._held.values()):
                    self._put_back(held.claims.values(), "interrupted", timedelta())
                    self.store.leases.release(held.lease)
            raise

    @contextmanager
    def _holding(self, host: str, lease: Lease) -> Iterator[_Held]:
        """A host's lease while a block runs; cut short, its work is due again at once."""
        held = self._held[host] = _Held(lease)
        try:
            yield held
        except BaseException:  # interrupted: the next run need not wait for leases to run out
            self._put_back(held.claims.values(), "interrupted", timedelta())
            raise
        finally:
            del self._held[host]
            self.store.leases.release(lease)

    def _verify(self, host: str, apps: Sequence[str] | None) -> HostOutcome:
        started = self.clock.monotonic()
        lease = self._lease(host)
        if lease is None:
            return busy(host)
        try:
            with self._holding(host, lease), self._keeping(lease, ()), closing(self.reach(host)) as transport:
                self._catch_up(host, transport, lease, may_write=False)
                view = self._view(host, transport)
                names = [app for app in view.order() if apps is None or app in apps]
                run = self._run(view, transport, Look.ONLY, lease)
                found = tuple(run.perform(app) for app in names)
        except Unavailable as error:
            return self._unreachable(host, error, started)
        except Refused as error:
            found = (AppOutcome("", AppStatus.REFUSED, problems=tuple(error.problems)),)
        return HostOutcome(host, found, self.clock.monotonic() - started)

    def _converge(self, host: str) -> HostOutcome | None:
        lease = self._lease(host)
        if lease is None:
            return None
        with self._holding(host, lease) as held:
            held.claims = self._claim(host)
            if not held.claims:
                return None
            with self._keeping(lease, held.claims.values()):
                outcome = self._work(host, lease, held.claims)
        self.listener.finished(outcome)
        return outcome

    def _lease(self, host: str) -> Lease | None:
        return self.store.leases.acquire(host_lease(host), self.holder, self.lease_seconds, take_over=self.alone)

    def _claim(self, host: str) -> dict[str, Claim]:
        nonce = ulid(self.clock.now())
        found = self.store.work.claim(
            host, holder=self.holder, nonce=nonce, limit=_CLAIMS, lease_seconds=self.lease_seconds, kind=CONVERGE
        )
        return {claim.work.args["app"]: claim for claim in found if self._names_an_app(claim)}

    def _names_an_app(self, claim: Claim) -> bool:
        """Whether it does; a mark that we did not set ends here."""
        named = isinstance(claim.work.args.get("app"), str)
        if not named:
            self.store.work.finish(claim, WorkState.SKIPPED, {"reason": "it names no app"})
        return named

    def _keeping(self, lease: Lease, claims: Collection[Claim]) -> Keeper:
        """Renews what is held while a block runs."""

        def renew() -> bool:
            for claim in claims:
                self.store.work.renew(claim, self.lease_seconds)
            return self.store.leases.renew(lease, self.lease_seconds)

        return Keeper(renew, renewal_seconds(self.lease_seconds))

    def _work(self, host: str, lease: Lease, claims: Mapping[str, Claim]) -> HostOutcome:
        started = self.clock.monotonic()
        try:
            with closing(self.reach(host)) as transport:
                claims = self._unpaused(claims, self._catch_up(host, transport, lease, may_write=True))
                view = self._view(host, transport)
                apps = tuple(self._each(view, transport, lease, claims))
                if self.crew.remote(host) and not all(app.well for app in apps):
                    CatchingUp(self.store, host, lease.term).part(transport)
        except Unavailable as error:
            self._put_back(claims.values(), _reason(host, error), _RETRY)
            return self._unreachable(host, error, started)
        except Refused as error:
            apps = self._refuse(host, lease, claims, error)
        return HostOutcome(host, apps, self.clock.monotonic() - started)

    def _unreachable(self, host: str, error: Unavailable, started: float) -> HostOutcome:
        reason = _reason(host, error)
        self.store.observed.write_unreachable(host, reason)
        return HostOutcome(host, unreachable=reason, seconds=self.clock.monotonic() - started)

    def view(self, host: str) -> HostView:
        """The host's verified desired state.

        Raises:
            Refused: there is no statement, it does not verify, or its content is not what was signed.
            Unavailable: Redis or the host cannot be reached.
        """
        with closing(self.reach(host)) as transport:
            return self._view(host, transport)

    def report(self, hosts: Iterable[str]) -> None:
        """Let hosts tell what they know of themselves where Redis knows less, as after it was emptied."""
        for host in hosts:
            lease = self._lease(host)
            if lease is None:
                continue
            with (
                suppress(Unavailable),  # told when there is work for it
                self._holding(host, lease),
                closing(self.reach(host)) as transport,
            ):
                self._catch_up(host, transport, lease, may_write=True)

    def _catch_up(self, host: str, transport: Transport, lease: Lease, *, may_write: bool) -> Mapping[str, str]:
        """Record that the host was reached; what people paused there.

        Planning asks the ledgers of this machine's hosts itself.
        """
        self.store.observed.write_facts(host, transport.facts())
        meeting = CatchingUp(self.store, host, lease.term)
        if self.crew.remote(host):
            return meeting.meet(transport, may_write=may_write)
        meeting.learn(transport.ledger())
        return {}

    def _unpaused(self, claims: Mapping[str, Claim], paused: Mapping[str, str]) -> Mapping[str, Claim]:
        """The claims that people do not want left alone; the others end here."""
        held = {app: why for app in claims if (why := paused.get("*", "") or paused.get(app, ""))}
        for app, why in held.items():
            self.store.work.finish(claims[app], WorkState.SKIPPED, {"reason": f"paused: {why}"})
        return {app: claim for app, claim in claims.items() if app not in held}

    def _view(self, host: str, transport: Transport) -> HostView:
        """The host's verified desired state.

        Raises:
            Refused: there is no statement, it does not verify, or its content is not what was signed.
        """
        desired = self.store.desired.read(host)
        if desired is None:
            raise Refused.of(
                "no-statement",
                "nothing signed says what should be here; nothing was touched",
                place=Place(host=host),
                hint="Write it: reconcile apply",
            )
        statement = verify(
            desired.signed, self.trusted(), fleet=self.fleet, host=host, seen=transport.ledger().generation
        )
        bundles = self.store.desired.bundles({app.bundle for app in desired.apps.values()})
        return HostView.signed(statement, desired.apps, bundles, self.renderer, desired.sealed)

    def _each(
        self, view: HostView, transport: Transport, lease: Lease, claims: Mapping[str, Claim]
    ) -> Iterable[AppOutcome]:
        run = self._run(view, transport, Look.THEN_ACT, lease)
        unsigned = sorted(claims.keys() - view.apps.keys())
        owned = transport.ledger().apps if unsigned else {}
        removed = [app for app in unsigned if app in owned]
        for app in (app for app in unsigned if app not in owned):
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
        return AppRun(
            view=view,
            transport=transport,
            facts=transport.facts(),
            look=look,
            token=lease.term,
            store=self.store,
            secrets=self.secrets,
            masker=self.masker,
            clock=self.clock,
            listener=self.listener,
            confirm=self.confirm,
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


def _by_itself(host: str, work: Callable[[], Found]) -> Found | HostOutcome:
    """Work on a host. A mistake of this program there, or nonsense that it answers, keeps no other host waiting."""
    try:
        return work()
    except ReconcilerError:
        raise
    except Exception as error:  # noqa: BLE001 - told, and the other hosts go on
        return internal_error(host, error)


def _reason(host: str, error: Unavailable) -> str:
    """Why a host cannot be worked on; its own name is not said again."""
    here = Place(host=host)
    return "\n".join(str(replace(it, place=NOWHERE) if it.place == here else it) for it in error.problems)
