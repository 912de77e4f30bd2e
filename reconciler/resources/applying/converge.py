"""One run: brings an app to its state on this host, or back to where it was.

Built by `engine` under the host's lock. The order is: resources as declared, checks, reloads and restarts, health,
then deletes (and what they make necessary). Every step is remembered before it is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Iterator, List, Optional, Tuple

from reconciler.resources.applying.going_back import go_back
from reconciler.resources.applying.holdings import Held, Holdings
from reconciler.resources.applying.masking import masked
from reconciler.resources.applying.memory import Memory
from reconciler.resources.applying.pruning import Farewell, Fate, as_it_was_applied, farewells
from reconciler.resources.applying.renewals import Renewals
from reconciler.resources.applying.survey import Finding, survey
from reconciler.resources.failure import EXPECTED, Failure, as_failure
from reconciler.resources.kinds.registry import KINDS, Item, parse_all
from reconciler.resources.kinds.resource import ADD, DELETE
from reconciler.resources.kinds.service import RESTART, Service
from reconciler.resources.machine.places import drop_empty
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import Event, Finished, Request, ResourceEvent
from reconciler.resources.records.book import Book, Put
from reconciler.resources.records.ledger import Owned, reject
from reconciler.resources.records.trial import Trial, trial_to_json
from reconciler.resources.values import replace

if TYPE_CHECKING:
    from reconciler.resources.measuring.health import HealthCheck


class Stopped(Exception):
    """A resource failed; its event was told already."""

    def __init__(self, failure: Failure, text: str, key: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text
        self.key = key


class Converge:
    """The state of one run."""

    def __init__(self, request: Request, system: System, book: Book) -> None:
        """Understand the request.

        Raises:
            Failure: nothing was done.
        """
        self._system = system
        self._book = book
        self._items = () if request.remove else parse_all(request.resources, sandbox=system.sandbox)
        self._health = () if request.remove else _checks(request)
        refuse_stale(request, book)
        book.put(*succession(request, book))
        self._request = as_it_was_applied(request, book.app(request.app))
        self._changed = 0
        self._holdings = Holdings(book, request.app, request.digest)
        self._memory = Memory(book, request.app, system, self._trial())
        book.put((("apps", request.app, "prune"), self._request.prune))
        self._renewals = Renewals(self._items, self._holdings, self._memory.steps, book, system)
        self._renewed = False
        self._parents: List[str] = list(book.app(request.app).parents)

    def _trial(self, *, ended: bool = False) -> Optional[Trial]:
        """What this run is on from now, or from its end; None where nobody wants it confirmed."""
        seconds, system = self._request.confirm_seconds, self._system
        if not seconds:
            return None
        known = self._book.app(self._request.app).trial
        if ended and not self._changed and known and known.ended and known.digest == self._request.digest:
            return replace(known, generation=self._request.generation)  # told again, it gets no more time
        until = system.clock.monotonic() + seconds
        return Trial(self._request.digest, self._request.generation, seconds, system.boot, until, ended=ended)

    def events(self) -> Iterator[Event]:
        """Do it; the last event is Finished."""
        self._memory.sweep()
        try:
            self._note_services()
            yield from self._bring_all()
            yield from self._renew()
            yield from self._prove_health()
            yield from self._prune()
            yield from self._renew()
        except Stopped as stopped:
            yield from self._fail(stopped.failure, stopped.text, stopped.key)
        except EXPECTED as error:
            yield from self._fail(as_failure(error), as_failure(error).text())
        else:
            yield self._succeed()

    # -- resources

    def _note_services(self) -> None:
        """Which services were there before this run: a package that it installs may bring one."""
        for item in self._items:
            new = item.id not in self._memory.existed and self._holdings.find(item) is None
            if isinstance(item.resource, Service) and new:
                self._memory.existed[item.id] = item.resource.inspect(self._system) is not None

    def _bring_all(self) -> Iterator[Event]:
        failed: Optional[Stopped] = None
        declared = self._holdings.declared(self._items)
        for item in self._items:
            if failed is not None:
                yield ResourceEvent(item.id, item.wanted.name, "skipped")
                continue
            started = self._system.clock.monotonic()
            try:
                yield self._bring(item, declared, started)
            except EXPECTED as error:
                failure = as_failure(error)
                text = failure.text(sensitive=item.wanted.sensitive)
                failed = Stopped(failure, f"{item.wanted.name}: {text}", item.id)
                spent = self._system.clock.monotonic() - started
                yield ResourceEvent(
                    item.id, item.wanted.name, "failed", error=text, hint=failure.hint, seconds=round(spent, 3)
                )
        if failed is not None:
            raise failed

    def _bring(self, item: Item, declared: FrozenSet[str], started: float) -> ResourceEvent:
        finding = survey(item, self._holdings.find(item), declared, self._request.adopt, self._system)
        if finding.refusal is not None:
            raise finding.refusal
        if finding.difference:
            self._change(finding, declared)
        else:
            self._book.put(*self._holdings.claim(item, self._owned(finding), finding.held))
        brought = self._memory.existed.get(item.id) is False  # a service that this run's package or file brought
        return ResourceEvent(
            item.id,
            item.wanted.name,
            ADD if brought else finding.difference.action or "ok",
            finding.difference.lines,
            finding.before,
            seconds=round(self._system.clock.monotonic() - started, 3),
        )

    def _change(self, finding: Finding, declared: FrozenSet[str]) -> None:
        """Remember, say what will be done, do it, look again."""
        item, resource, held = finding.item, finding.resource, finding.held
        difference = resource.prepare(self._system, finding.difference)
        serial = self._book.next_serial()
        puts = self._memory.remember(
            item.id,
            item.wanted.kind,
            item.wanted.name,
            difference.paths,
            state=resource.memory(finding.actual),
            held=held,
        )
        intent = self._owned(finding, serial=serial, fingerprint="")
        claim = self._holdings.claim(item, intent, held)
        parents: Put = (("apps", self._request.app, "parents"), list(self._with_new_parents()))
        self._book.record(*puts, *claim, parents, (("serial",), serial))
        try:
            resource.apply(self._system, difference)
            self._look_again(finding, declared)
        except EXPECTED:
            if self._unchanged(finding):
                cut_off = held is not None and not held.owned.fingerprint
                before = self._memory.owner_before(item.id) if cut_off else held
                self._book.put(*self._holdings.give_back(item.id, before))
            raise
        self._changed += 1
        done = self._holdings.claim(item, self._owned(finding, serial=serial), None)
        done += self._started(finding)
        if resource.place:
            self._book.put(*done)
        else:
            self._book.record(*done)

    def _unchanged(self, finding: Finding) -> bool:
        """Whether a change that failed did nothing: then it is ours, or not, just as before."""
        try:
            return bool(finding.resource.inspect(self._system) == finding.actual)
        except EXPECTED:
            return False

    def _look_again(self, finding: Finding, declared: FrozenSet[str]) -> None:
        if not finding.resource.confirms():
            return
        again = survey(finding.item, finding.held, declared, "replace", self._system).difference
        if again:
            rest = "; ".join(again.lines) or again.action
            raise Failure(
                "still-differs", f"it still differs after the change: {rest}", "Does something else write it?"
            )

    def _started(self, finding: Finding) -> List[Put]:
        """A service that was just started runs with what stands there now."""
        if not isinstance(finding.resource, Service) or not finding.resource.running:
            return []
        ran_before = finding.actual is not None and finding.actual.running
        return [] if ran_before else self._renewals.renewed(finding.item, RESTART)

    def _owned(self, finding: Finding, *, serial: Optional[int] = None, fingerprint: Optional[str] = None) -> Owned:
        item, resource = finding.item, finding.resource
        held = finding.held
        earlier = held.owned if held and (held.present or resource.absent) else None
        if earlier is not None:
            adopted, backup = earlier.adopted, earlier.backup
        else:
            adopted = resource.preexisting(finding.actual, finding.difference) and not resource.absent
            adopted = self._memory.existed.get(item.id, adopted)
            backup = self._memory.backup_of(item.id, resource.place) if item.id in self._memory.steps else ""
        return Owned(
            fingerprint=item.wanted.fingerprint if fingerprint is None else fingerprint,
            kind=item.wanted.kind,
            path=resource.place,
            serial=serial if serial is not None else held.owned.serial if held else 0,
            adopted=adopted,
            absent=resource.absent,
            keep=item.wanted.keep,
            backup=backup,
            fields=resource.recorded(sensitive=item.wanted.sensitive),
        )

    def _with_new_parents(self) -> List[str]:
        """All directories that were made on the way to something, in this run too."""
        places = {item.resource.place for item in self._items}
        made = [path for path in self._memory.made_parents() if path not in places and path not in self._parents]
        self._parents = [*self._parents, *made]
        return self._parents

    # -- services and health

    def _renew(self) -> Iterator[Event]:
        needed = [(item, self._renewals.needed(item)) for item in self._renewals.services()]
        due = [(item, verb) for item, verb in needed if verb]
        for item, _ in due:
            self._service(item).check_passes(self._system)
        for item, verb in due:
            self._service(item).renew(self._system, verb)
            self._renewed = True
            self._book.record(*self._renewals.renewed(item, verb))
            yield ResourceEvent(item.id, item.wanted.name, verb)

    @staticmethod
    def _service(item: Item) -> Service:
        assert isinstance(item.resource, Service)  # noqa: S101 - Renewals.services says so
        return item.resource

    def _prove_health(self) -> Iterator[Event]:
        if not self._health:
            return
        from reconciler.resources.measuring.health import all_healthy  # noqa: PLC0415 - see `_checks`

        for event in all_healthy(self._health, self._system, renewed=self._renewed):
            yield event
            if not event.ok:
                raise Failure("unhealthy", f"{event.check}: {event.message}", "Look at the service's own log.")

    # -- deletes

    def _prune(self) -> Iterator[Event]:
        places = {item.resource.place for item in self._items if not item.resource.absent}
        for farewell in farewells(self._request, self._holdings.owned, places):
            if farewell.fate is Fate.REMOVE:
                yield self._remove(farewell)
                continue
            if farewell.fate in {Fate.LEAVE, Fate.HOLD}:
                yield ResourceEvent(farewell.key, farewell.key, "left", (farewell.reason,))
            if farewell.fate is not Fate.HOLD:
                self._book.put(*self._memory.let_go(farewell.key, farewell.owned))
                self._book.put(*self._holdings.forget(farewell.key))

    def _remove(self, farewell: Farewell) -> ResourceEvent:
        kind = KINDS[farewell.owned.kind]
        held = Held(self._request.app, farewell.key, farewell.owned)
        paths = kind.paths_of(self._system, farewell.owned)
        state = kind.memory_of(self._system, farewell.owned)
        remembered = self._memory.remember(farewell.key, kind.kind, farewell.key, paths, state=state, held=held)
        self._book.record(*remembered)
        kind.remove(self._system, farewell.owned)
        self._book.put(*self._holdings.forget(farewell.key))
        self._changed += 1
        return ResourceEvent(farewell.key, farewell.key, DELETE)

    # -- the end

    def _succeed(self) -> Event:
        self._parents = drop_empty(self._system, self._parents, self._holdings.places())
        self._book.put(*self._renewals.settle())
        record = self._book.app(self._request.app)
        rejected = [digest for digest in record.rejected if digest != self._request.digest]
        trial = self._trial(ended=True) if self._memory.steps else None
        status = "confirming" if trial else "converged"
        app = ("apps", self._request.app)
        self._book.put(((*app, "parents"), self._parents), ((*app, "recovery"), dict(self._request.recovery)))
        self._close(status, self._request.digest, "", rejected, trial)
        if self._request.remove and not self._holdings.owned:
            self._book.put((app, None))
        self._book.save()
        return self._finished(status)

    def _fail(self, failure: Failure, text: str, failed: str = "") -> Iterator[Event]:
        """Go back where that is asked for, or where a service's check refused what was written.

        A run that ended at its first step, one that changes nothing by halves, is not rejected: it may work next time.
        """
        record = self._book.app(self._request.app)
        back = self._request.on_failure == "rollback" or failure.code == "check-failed"
        undoable = self._memory.undoable(failed)
        if back and undoable:
            yield from go_back(self._book, self._memory, self._holdings, self._system)
            digest = self._memory.before["digest"]
            self._close("rolled-back", digest, text, reject(record.rejected, self._request.digest), None)
        else:
            self._book.put(*self._renewals.owe())
            digest = self._request.digest if self._changed else record.digest
            self._close("failed", digest, text, list(record.rejected), self._trial(ended=True) if undoable else None)
        self._book.save()
        yield self._finished(self._book.app(self._request.app).status, failure, text)

    def _close(self, status: str, digest: str, error: str, rejected: List[str], trial: Optional[Trial]) -> None:
        """Write the run's result into the record; the time only where anything else changed."""
        app = ("apps", self._request.app)
        record = self._book.app(self._request.app)
        values: Dict[str, Any] = {
            "generation": self._request.generation,
            "digest": digest,
            "status": status,
            "error": masked(error, self._request.secrets),
            "rejected": rejected,
        }
        if digest != record.digest and record.moved:
            values["moved"] = {}
        if status == "converged":
            values["unconfirmed"] = None
        self._book.put(*(((*app, name), value) for name, value in values.items()))
        ending = ((*app, "unfinished", "trial"), trial_to_json(trial)) if trial else ((*app, "unfinished"), None)
        self._book.put(ending)
        self._book.put((("generation",), max(self._book.number("generation"), self._request.generation)))
        if self._book.changed:
            self._book.put(((*app, "changed_at"), self._system.clock.timestamp()))
            known = (self._book.number("term"), self._book.number("token"))
            term, token = max(known, (self._request.term, self._request.token))
            self._book.put((("term",), term), (("token",), token))

    def _finished(self, status: str, failure: Optional[Failure] = None, text: str = "") -> Finished:
        record = self._book.app(self._request.app)
        hint = failure.hint if failure else ""
        if self._book.moved_aside:
            moved = f"The ledger was damaged and moved to {self._book.moved_aside}; the host was adopted again."
            hint = f"{hint} {moved}".strip()
        return Finished(
            status, record.resources, record.adopted, text, hint, self._changed, failure.code if failure else ""
        )


def _checks(request: Request) -> Tuple[HealthCheck, ...]:
    """The health checks, understood; they need sockets, which are slow to load where a start over SSH waits."""
    if not request.health:
        return ()
    from reconciler.resources.measuring.health import parse_health  # noqa: PLC0415 - see above

    return tuple(parse_health(check) for check in request.health)


def refuse_stale(request: Request, book: Book) -> None:
    """Refuse a request that is older than what was applied.

    Raises:
        Failure: `stale-generation`.
    """
    known = book.app(request.app).generation
    if request.generation < known:
        message = f"{request.app} is at generation {known}; this request is older ({request.generation})"
        raise Failure("stale-generation", message)


def succession(request: Request, book: Book) -> List[Put]:
    """The ledger's changes by which an app takes over what stands under its old names."""
    known = book.names()
    puts: List[Put] = []
    for old in request.formerly:
        if old in known and request.app not in known:
            puts += [(("apps", request.app), book.raw_app(old)), (("apps", old), None)]
            break
    return puts
