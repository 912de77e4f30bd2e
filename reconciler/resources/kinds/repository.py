"""`repository`: where apt or dnf finds further packages, and whose signature it trusts there."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Dict, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.file import FileState
from reconciler.resources.kinds.repositories import FORMATS, Format, Offer, repository_format
from reconciler.resources.kinds.resource import ADD, CHANGE, DELETE, NOTHING, Difference, Resource
from reconciler.resources.machine.places import remove_leaf
from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True)
class RepositoryState:
    """What the package tool is told."""

    tool: str
    main: Optional[FileState] = None
    key: Optional[FileState] = None
    """The key that comes with it; None also where it is another file of the host."""


@dataclass(frozen=True)
class Repository(Resource):
    """A repository, with its key. Its list of packages is read before anything is installed from it."""

    kind: ClassVar[str] = "repository"
    exclusive: ClassVar[bool] = True

    offer: Offer
    present: bool = True

    @classmethod
    def parse(cls, fields: Fields) -> "Repository":
        """Read the manifest's fields; a key below templates/ was turned into its text by then."""
        key = fields.text("key").strip() + "\n"
        offer = Offer(
            name=fields.text("name"),
            uri=fields.word("uri"),
            key=key if "\n" in key.strip() else key.strip(),
            suites=fields.texts("suites"),
            components=fields.texts("components"),
        )
        if not _NAME.match(offer.name):
            raise fields.wrong("name", "letters, digits and _ . -, the first a letter or digit")
        if not offer.brings_key and not re.match(r"/\S+\Z", offer.key):
            raise fields.wrong("key", "an armoured public key, or the path of one on the host")
        if any(not re.match(r"\S+\Z", word) for word in (*offer.suites, *offer.components)):
            raise fields.wrong("suites and components", "single words")
        return cls(offer, fields.choice("state", "present", "absent") == "present")

    @property
    def places(self) -> Tuple[str, ...]:
        """The files of any tool: which one the host has is not known before it is looked at."""
        main = [each.main_path(self.offer.name) for each in FORMATS.values()]
        keys = [each.key_path(self.offer) for each in FORMATS.values() if self.offer.brings_key]
        return (*main, *keys)

    def inspect(self, system: System) -> Optional[RepositoryState]:
        found = repository_format(system)
        if self.present:
            found.refuse(self.offer)
        key = found.key(self.offer)
        main_state, key_state = found.main(self.offer).inspect(system), key.inspect(system) if key else None
        if main_state is None and key_state is None:
            return None
        return RepositoryState(found.package_tool.program, main_state, key_state)

    def difference(self, actual: Optional[RepositoryState]) -> Difference:
        if actual is None:
            return NOTHING if self.absent else Difference(ADD, (), self.places)
        if self.absent:
            return Difference(DELETE, ("state: present -> absent",), self.places)
        return self._changed(FORMATS[actual.tool], actual)

    def _changed(self, found: Format, actual: RepositoryState) -> Difference:
        key = found.key(self.offer)
        lines = found.main(self.offer).difference(actual.main).lines if actual.main else ("no repository yet",)
        if key is not None and key.difference(actual.key):
            lines = (*lines, "key")
        return Difference(CHANGE if actual.main else ADD, lines, self.places) if lines else NOTHING

    def prepare(self, system: System, difference: Difference) -> Difference:
        """Try it out.

        Raises:
            Failure: `no-such-key`, `repository-failed`; nothing was changed.
        """
        if self.present:
            if not self.offer.brings_key and system.look(self.offer.key) is None:
                raise Failure("no-such-key", f"there is no key {self.offer.key}", "Declare it before this resource.")
            repository_format(system).attempt(system, self.offer)
        return difference

    def apply(self, system: System, difference: Difference) -> None:
        if self.absent:
            _remove(system, self.places)
        else:
            repository_format(system).bring(system, self.offer)

    def untouched(self, system: System, actual: RepositoryState) -> bool:
        """A key of the same text, and nothing else yet."""
        return actual.main is None and "key" not in self.difference(actual).lines

    def before(self, actual: Optional[RepositoryState]) -> Optional[str]:
        if actual is None:
            return None
        return FORMATS[actual.tool].main(self.offer).before(actual.main)

    def preexisting(self, actual: Optional[RepositoryState], difference: Difference) -> bool:
        return actual is not None and actual.main is not None

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"paths": list(self.places)}

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        _remove(system, owned.fields["paths"])


def _remove(system: System, paths: Any) -> None:
    for path in paths:
        remove_leaf(system, path)
