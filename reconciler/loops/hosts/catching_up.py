"""What a host across the network and Redis tell each other when an executor comes by.

A host's ledger is asked only then. So an emptied Redis learns here what stands on the host, and a host that was out of
reach when people paused it learns it here.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.loops.hosts import ledger_view
from reconciler.model.observed import Applied, AppStatus, ObservedApp, ObservedHost
from reconciler.model.work import mark_of
from reconciler.resources.records.ledger import Ledger
from reconciler.resources.values import dataclass
from reconciler.store import Store
from reconciler.transport import Transport


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """One host, between opening it and working on it.

    Args:
        token: of the lease on the host, which every write carries.
    """

    store: Store
    host: str
    token: int

    def learn(self, ledger: Ledger) -> None:
        """Let Redis know what a host of this machine remembers, as after it was emptied.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        known = self.store.observed.read([self.host]).get(self.host, ObservedHost())
        if self._refill(ledger, known):
            self._mirror(ledger, known, ledger.paused)

    def meet(self, transport: Transport, *, may_write: bool) -> Mapping[str, str]:
        """Let both sides know; app (`*`: the host) -> why people paused it.

        Args:
            transport: to the host.
            may_write: whether the host's own ledger may be told.

        Raises:
            Unavailable: Redis or the host cannot be reached.
        """
        ledger = transport.ledger()
        known = self.store.observed.read([self.host]).get(self.host, ObservedHost())
        self._refill(ledger, known)
        remembered = bool(known.apps or known.paused or known.rejected)
        paused = dict(known.paused if remembered else ledger.paused)
        if may_write:
            for app in sorted({*paused, *ledger.paused}):
                if paused.get(app, "") != ledger.paused.get(app, ""):
                    transport.pause(app, paused.get(app, ""))
        self._mirror(ledger, known, paused)
        return paused

    def part(self, transport: Transport) -> None:
        """After an apply that failed: which digests are not to be tried again.

        Raises:
            Unavailable: Redis or the host cannot be reached.
        """
        ledger = transport.ledger()
        known = self.store.observed.read([self.host]).get(self.host, ObservedHost())
        self._mirror(ledger, known, known.paused)

    def _refill(self, ledger: Ledger, known: ObservedHost) -> bool:
        """Write what the host remembers of its apps and Redis does not; whether there was anything."""
        apps: dict[str, tuple[ObservedApp, Applied | None]] = {
            name: (ledger_view.observed_app(record), ledger_view.applied(record))
            for name, record in ledger.apps.items()
            if record.status and ledger_view.knows_better(record, known.apps.get(name))
        }
        taken_back = {name: app for name, (app, _) in apps.items() if app.status is AppStatus.UNCONFIRMED}
        for name in taken_back:
            self.store.work.cancel(self.host, mark_of(name), reason="it was taken back; its second try comes later")
        if apps:
            self.store.observed.write(self.host, apps, self.token)
        for name, observed in taken_back.items():
            self.store.journal.append("unconfirmed", host=self.host, app=name, reason=observed.error)
        return bool(apps)

    def _mirror(self, ledger: Ledger, known: ObservedHost, paused: Mapping[str, str]) -> None:
        rejected = frozenset(digest for record in ledger.apps.values() for digest in record.rejected)
        generation = max(ledger.generation, known.generation)
        if (generation, paused, rejected) != (known.generation, known.paused, known.rejected):
            self.store.observed.write_ledger(self.host, generation=generation, paused=paused, rejected=rejected)
