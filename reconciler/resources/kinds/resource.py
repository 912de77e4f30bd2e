"""What every kind of resource can do: look, tell the difference, act, and let go.

Implemented by one module per kind, built by `registry`, driven by the engine. A kind knows nothing of ledgers,
adoption or rollback: it only names the paths that it is about to write.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, FrozenSet, Mapping, Optional, Tuple

from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass

ADD = "add"
CHANGE = "change"
DELETE = "delete"


@dataclass(frozen=True)
class Difference:
    """What separates a resource from its wanted state; false where there is nothing to do."""

    action: str = ""
    """add, change, delete, or empty."""
    lines: Tuple[str, ...] = ()
    """For people: `mode: 0600 -> 0644`, `content`; never a text that could hold a secret."""
    paths: Tuple[str, ...] = ()
    """What acting on it writes; remembered before, so that it can go back."""

    def __bool__(self) -> bool:
        return bool(self.action)


NOTHING = Difference()


@dataclass(frozen=True)
class Context:
    """What only the host's ledger knows of a resource's surroundings."""

    ran: bool
    """Whether it was acted on as it is wanted now."""
    declared: FrozenSet[str]
    """Paths that are wanted on the host."""
    replaces: bool
    """Whether what is not ours may be taken over."""
    recorded: Mapping[str, Any]
    """What was recorded of it when it was last acted on."""


class Resource(ABC):
    """One thing on a host, as it is wanted."""

    kind: ClassVar[str]
    exclusive: ClassVar[bool] = False
    """Whether something that exists, differs and is not ours must not be touched without `adopt: replace`."""
    stays: ClassVar[str] = ""
    """Why it stays on the host when it leaves the manifests; empty: it goes."""

    reversible: ClassVar[bool] = True
    """Whether a rollback undoes it; else it stays and people are told."""

    present: bool = True
    """False: it is wanted away. A field of the kinds that take `state`."""

    @property
    def place(self) -> str:
        """The path that it claims for itself alone; empty if it claims none."""
        return ""

    @property
    def places(self) -> Tuple[str, ...]:
        """All paths that nothing else may claim, and no purge remove."""
        return (self.place,) if self.place else ()

    @property
    def absent(self) -> bool:
        """Whether it is wanted away."""
        return not self.present

    def within(self, context: Context) -> Resource:
        """The resource as it is in this context; most are the same in all."""
        return self

    @abstractmethod
    def inspect(self, system: System) -> Any:
        """The actual state, or None where there is no such thing."""

    @abstractmethod
    def difference(self, actual: Any) -> Difference:
        """What separates this state from the wanted one. Pure."""

    @abstractmethod
    def apply(self, system: System, difference: Difference) -> None:
        """Bring it to its state."""

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """Let go of what an app owned; called only where nothing says that it stays."""

    def prepare(self, system: System, difference: Difference) -> Difference:
        """Get what acting needs, before anything is done; the difference, perhaps with more paths. Only in an apply."""
        return difference

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        """What `remove` will need to know, kept in the ledger; of a sensitive resource no text.

        `path` or `paths`, where it holds them, are what `remove` will write, beside `place`.
        """
        return {}

    def untouched(self, system: System, actual: Any) -> bool:
        """Whether what stands there is as its distribution delivered it, so that replacing it loses nothing."""
        return False

    def before(self, actual: Any) -> Optional[str]:
        """The text that stands there, if everyone may read it."""
        return None

    def memory(self, actual: Any) -> Dict[str, Any]:
        """What `restore` needs to go back to this state, beside the paths; empty: nothing."""
        return {}

    @classmethod
    def paths_of(cls, system: System, owned: Owned) -> Tuple[str, ...]:
        """What `remove` will write."""
        return tuple(filter(None, (owned.path or owned.fields.get("path", ""), *owned.fields.get("paths", ()))))

    @classmethod
    def memory_of(cls, system: System, owned: Owned) -> Dict[str, Any]:
        """The same for something that is about to be removed."""
        return {}

    @classmethod
    def restore(cls, system: System, memory: Mapping[str, Any]) -> None:
        """Go back to a state that `memory` described."""

    def preexisting(self, actual: Any, difference: Difference) -> bool:
        """Whether it was there before us, so that it stays when it leaves the manifests."""
        return actual is not None

    def confirms(self) -> bool:
        """Whether a second look after acting tells that it worked."""
        return True


class AtPath(Resource):
    """A resource that is what stands at its path."""

    path: str

    @property
    def place(self) -> str:
        return self.path


def changes(*pairs: Tuple[str, Any, Any]) -> Tuple[str, ...]:
    """`name: old -> new` for every triple (name, actual, wanted) that differs."""
    return tuple(f"{name}: {actual} -> {wanted}" for name, actual, wanted in pairs if actual != wanted)


def octal(mode: int) -> str:
    """A mode as people write it."""
    return f"{mode:04o}"
