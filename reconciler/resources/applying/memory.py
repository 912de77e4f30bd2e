"""What a run must remember to be taken back: paths, service states, earlier owners, and the record as it was.

Stands in the ledger under `unfinished`, written before each step, until the run ends, or the trial that follows it.
A run that comes upon it, after a kill or over one that is on trial, goes on with it, so that its own rollback leads
back to before the first of the two.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from reconciler.resources.applying.holdings import Held, Holdings
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.kinds.registry import KINDS
from reconciler.resources.machine.places import missing_parents, restore, snapshot
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.records.book import Book, Put
from reconciler.resources.records.ledger import AppRecord, Owned, owned_from_json, owned_to_json
from reconciler.resources.records.trial import Trial, trial_to_json
from reconciler.resources.values import asdict

_KEPT = ("digest", "prune", "recovery", "services", "parents", "moved")
"""What a rollback puts back into the app's record."""


class Memory:
    """The steps of an app's run, in the order in which they were taken.

    `trial` is what the run is to be on, None where it stands once it has ended.
    """

    def __init__(self, book: Book, app: str, system: System, trial: Optional[Trial] = None) -> None:
        self._book = book
        self._app = app
        self._system = system
        record = book.app(app)
        self.steps: Dict[str, Dict[str, Any]] = dict(record.unfinished.get("steps", {}))
        for key in self._taken_over(record):
            del self.steps[key]
        self.existed: Dict[str, bool] = dict(record.unfinished.get("existed", {}))
        """Service id -> whether it was there when the run began."""
        self.before: Dict[str, Any] = dict(record.unfinished.get("before", {}))
        """The record's fields as they were before the first step."""
        if not self.before:
            kept = asdict(record)
            self.before = {name: kept[name] for name in _KEPT}
        self._trial = trial
        self._opened = False

    def _taken_over(self, record: AppRecord) -> List[str]:
        """What another app owns since, which is that app's business; not what was only given back to it."""
        others = {key: app for app, other in self._book.others(self._app) for key in other.owned}
        gone = [key for key in self.steps if key in others and key not in record.owned]
        return [key for key in gone if (self.steps[key]["held"] or [""])[0] != others[key]]

    def sweep(self) -> None:
        """Remove the temporaries that a killed run may have left."""
        for step in self.steps.values():
            for path in step["paths"]:
                self._system.sweep(path)

    def remember(
        self, key: str, kind: str, name: str, paths: Sequence[str], *, state: Mapping[str, Any], held: Optional[Held]
    ) -> List[Put]:
        """The ledger's changes that make a step go back; what an earlier step of this run remembered stays."""
        known = self.steps.get(key)
        if known is None:
            owner = [held.app, held.id, owned_to_json(held.owned)] if held else None
            known = {"kind": kind, "name": name, "paths": {}, "made": [], "state": dict(state), "held": owner}
        parents = dict.fromkeys(parent for path in paths for parent in missing_parents(self._system, path))
        made = [parent for parent in parents if parent not in {*paths, *known["paths"]}]
        fresh = [path for path in (*parents, *paths) if path not in known["paths"]]
        snapshots = {path: snapshot(self._system, path) for path in fresh}
        known = {**known, "paths": {**known["paths"], **snapshots}, "made": [*known["made"], *made]}
        self.steps[key] = known
        place = ("apps", self._app, "unfinished")
        puts: List[Put] = [((*place, "steps", key), known)]
        if not self._opened:
            trial = trial_to_json(self._trial) if self._trial else None
            puts += [((*place, "before"), self.before), ((*place, "trial"), trial)]
            self._opened = True
        return [*puts, *(((*place, "existed", service), found) for service, found in self.existed.items())]

    def let_go(self, key: str, owned: Owned) -> List[Put]:
        """The ledger's changes that remember what is nobody's any more without being touched."""
        return [(("apps", self._app, "unfinished", "let_go", key), owned_to_json(owned))]

    def backup_of(self, key: str, path: str) -> str:
        """Name of the backup of what stood at a path."""
        return str(self.steps[key]["paths"].get(path, {}).get("backup", ""))

    def owner_before(self, key: str) -> Optional[Held]:
        """Who held a thing before its step, and before that of a run which was cut off."""
        return _held(self.steps[key])

    def undoable(self, failed: str) -> bool:
        """Whether there is anything to go back from, beside the failed step of a kind that cannot."""
        return any(key != failed or KINDS[step["kind"]].reversible for key, step in self.steps.items())

    def made_parents(self) -> List[str]:
        """Directories on the way to something that this run made."""
        return [path for step in self.steps.values() for path in step["made"]]

    # -- going back

    def roll_back(self, holdings: Holdings) -> Iterator[ResourceEvent]:
        """Bring everything back that can be, newest first: all paths, then the services' states.

        Who owned something before owns it again before it is touched, as something just written; who did not, loses it
        only afterwards. So whoever comes after a kill finds nothing that is nobody's, and no service that has seen it.
        """
        let_go = self._book.app(self._app).unfinished.get("let_go", {})
        for key, owned in let_go.items():
            self._book.put(*holdings.give_back(key, Held(self._app, key, owned_from_json(owned))))
        newest_first = list(reversed(list(self.steps.items())))
        serial = self._book.next_serial()
        back = [(key, held) for key, step in newest_first if KINDS[step["kind"]].reversible and (held := _held(step))]
        begun = [(key, held.written(serial)) for key, held in back]
        self._book.record((("serial",), serial), *(put for pair in begun for put in holdings.give_back(*pair)))
        for key, step in newest_first:
            yield from self._attempt(key, step, self._restore_paths(step))
        for key, step in newest_first:
            yield from self._attempt(key, step, self._restore_state(step))
            if not KINDS[step["kind"]].reversible:
                yield ResourceEvent(key, step["name"], "left", ("a rollback does not undo it",))
            else:
                self._book.put(*holdings.give_back(key, self.owner_before(key)))

    def _attempt(self, key: str, step: Mapping[str, Any], steps: Iterator[bool]) -> Iterator[ResourceEvent]:
        try:
            if any(list(steps)):
                yield ResourceEvent(key, step["name"], "restored")
        except EXPECTED as error:
            failure = as_failure(error)
            yield ResourceEvent(key, step["name"], "failed", error=failure.message, hint=failure.hint)

    def _restore_paths(self, step: Mapping[str, Any]) -> Iterator[bool]:
        for path, memory in reversed(list(step["paths"].items())):
            yield restore(self._system, path, memory)

    def _restore_state(self, step: Mapping[str, Any]) -> Iterator[bool]:
        if step["state"]:
            KINDS[step["kind"]].restore(self._system, step["state"])
            yield True


def _held(step: Mapping[str, Any]) -> Optional[Held]:
    if not step["held"]:
        return None
    app, key, owned = step["held"]
    return Held(app, key, owned_from_json(owned))
