"""What a run that has not ended yet must remember, to go back to it: paths, service states, earlier owners.

Stands in the ledger under `unfinished`, written before each step; a run after a kill finds it and goes on with it,
so that its own rollback leads back to before the first of the two.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from reconciler.resources.book import Book, Put
from reconciler.resources.failure import EXPECTED, as_failure
from reconciler.resources.holdings import Held, Holdings
from reconciler.resources.ledger import owned_from_json, owned_to_json
from reconciler.resources.places import missing_parents, restore, snapshot
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.registry import KINDS
from reconciler.resources.system import System


class Memory:
    """The steps of an app's unfinished run, in the order in which they were taken."""

    def __init__(self, book: Book, app: str, system: System) -> None:
        self._book = book
        self._app = app
        self._system = system
        unfinished = book.app(app).unfinished
        self.steps: Dict[str, Dict[str, Any]] = dict(unfinished.get("steps", {}))
        self.existed: Dict[str, bool] = dict(unfinished.get("existed", {}))
        """Service id -> whether it was there when the run began."""

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
        return [*puts, *(((*place, "existed", service), found) for service, found in self.existed.items())]

    def backup_of(self, key: str, path: str) -> str:
        """Name of the backup of what stood at a path."""
        return str(self.steps[key]["paths"].get(path, {}).get("backup", ""))

    def undoable(self, failed: str) -> bool:
        """Whether there is anything to go back from, beside the failed step of a kind that cannot."""
        return any(key != failed or KINDS[step["kind"]].reversible for key, step in self.steps.items())

    def made_parents(self) -> List[str]:
        """Directories on the way to something that this run made."""
        return [path for step in self.steps.values() for path in step["made"]]

    # -- going back

    def roll_back(self, holdings: Holdings) -> Iterator[ResourceEvent]:
        """Bring everything back that can be, newest first: all paths, then the services' states."""
        for key, step in reversed(list(self.steps.items())):
            yield from self._attempt(key, step, self._restore_paths(step))
        for key, step in reversed(list(self.steps.items())):
            yield from self._attempt(key, step, self._restore_state(step))
            if KINDS[step["kind"]].reversible:
                self._book.put(*holdings.give_back(key, _held(step)))
            else:
                yield ResourceEvent(key, step["name"], "left", ("a rollback does not undo it",))

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
