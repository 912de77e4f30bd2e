"""Who owns what on this host, as one app's run sees it, and how ownership passes over.

Made by the engine at the start of a run. Ownership is per fleet, host, kind and path: what another app of the same
host owns may move here, what another fleet or host owns may not be touched.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.kinds.registry import Item
from reconciler.resources.records.book import Book, Put
from reconciler.resources.records.ledger import Owned, owned_to_json
from reconciler.resources.values import dataclass, replace


@dataclass(frozen=True)
class Held:
    """Something that stands in the ledger already."""

    app: str
    id: str
    owned: Owned

    def written(self, serial: int) -> "Held":
        """The same while it is being written."""
        return Held(self.app, self.id, replace(self.owned, serial=serial, fingerprint=""))

    @property
    def present(self) -> bool:
        """Whether it is there in our name; what was wanted away is not."""
        return not self.owned.absent


class Holdings:
    """What the app owns, and the rest of the host's ledger to compare with."""

    def __init__(self, book: Book, app: str, digest: str) -> None:
        """The app's part of the book, for a run that brings this digest."""
        self.app = app
        record = book.app(app)
        self.owned: Dict[str, Owned] = dict(record.owned)
        self._others = dict(book.others(app))
        self._foreign = book.foreign_places()
        self._ids = {key: Held(app, key, owned) for app, key, owned in self._elsewhere()}
        self._places = {held.owned.path: held for held in self._ids.values() if held.owned.path}
        mine = [Held(self.app, key, owned) for key, owned in self.owned.items()]
        self._places.update({held.owned.path: held for held in mine if held.owned.path})
        self._moved = record.moved if record.digest == digest else {}

    def _elsewhere(self) -> Iterator[Tuple[str, str, Owned]]:
        for app, record in self._others.items():
            for key, owned in record.owned.items():
                yield app, key, owned

    def everything(self) -> Dict[str, Owned]:
        """What all apps of this host own, by id."""
        return {**{key: held.owned for key, held in self._ids.items()}, **self.owned}

    def places(self) -> FrozenSet[str]:
        """The paths of all that apps of this host own."""
        owned = self.everything().values()
        return frozenset(path for each in owned for path in (each.path, *each.fields.get("paths", ())) if path)

    def declared(self, items: Iterable[Item]) -> FrozenSet[str]:
        """The paths that some resource of this host claims, now or by the ledger: a purge leaves them."""
        return self.places() | {place for item in items for place in item.resource.places}

    def find(self, item: Item) -> Optional[Held]:
        """Who holds a wanted resource: by its id, or by its path under another kind.

        Raises:
            Failure: `foreign-path` or `two-claims`.
        """
        place = item.resource.place
        if place in self._foreign:
            raise Failure(
                "foreign-path", f"{place} belongs to {self._foreign[place]}", "Only one of the two may own it."
            )
        if item.id in self.owned:
            return Held(self.app, item.id, self.owned[item.id])
        held = self._ids.get(item.id) or self._places.get(place)
        if held is not None and held.app != self.app and self._moved.get(held.id) == held.app:
            raise Failure("two-claims", f"{item.id} is claimed by {self.app} and by {held.app}", "Remove it from one.")
        return held

    def claim(self, item: Item, owned: Owned, held: Optional[Held]) -> List[Put]:
        """The ledger's changes by which a resource becomes this app's."""
        self.owned[item.id] = owned
        puts: List[Put] = [(("apps", self.app, "owned", item.id), owned_to_json(owned))]
        if held is not None and (held.app, held.id) != (self.app, item.id):
            puts.append((("apps", held.app, "owned", held.id), None))
            if held.app == self.app:
                self.owned.pop(held.id, None)
            else:
                puts.append((("apps", held.app, "moved", held.id), self.app))
        return puts

    def forget(self, key: str) -> List[Put]:
        """The ledger's changes by which a resource is nobody's any more."""
        self.owned.pop(key, None)
        return [(("apps", self.app, "owned", key), None)]

    def give_back(self, key: str, held: Optional[Held]) -> List[Put]:
        """The ledger's changes that undo a claim."""
        puts = self.forget(key)
        if held is None:
            return puts
        if held.app == self.app:
            self.owned[held.id] = held.owned
        else:
            puts.append((("apps", held.app, "moved", held.id), None))
        return [*puts, (("apps", held.app, "owned", held.id), owned_to_json(held.owned))]
