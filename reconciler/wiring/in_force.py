"""Which files a command goes by: those of its directory, of the branch that a watch follows, or of an earlier commit.

Called through `Session.followed` and `Session.in_force`. Whoever is called at night, while the newest files have a
mistake, still needs `status`, `pause` and `silence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from reconciler.errors import NOWHERE, InvalidInput, Problem
from reconciler.model.tree import Revision, Tree
from reconciler.resources.values import dataclass

if TYPE_CHECKING:
    from reconciler.store import FleetState
    from reconciler.wiring.ground import Ground

State: TypeAlias = "Callable[[], FleetState | None]"
"""What a watch says that it follows."""

_Seen = TypeVar("_Seen")

_HINT = "Look: reconcile validate"


@dataclass(frozen=True, slots=True)
class InForce:
    """Files, and why they are not the newest ones (empty: they are)."""

    tree: Tree
    warnings: Sequence[Problem] = ()


def followed(ground: Ground, state: State) -> InForce:
    """As `Session.followed`; `state` is asked only where it matters."""
    fetched, revision = ground.last_fetched, _followed_revision(ground, state)
    if not (fetched and revision):
        return InForce(ground.tree())
    if revision.commit == fetched.newest.commit:
        return InForce(fetched.tree(revision))
    message = f"revision {fetched.newest} was fetched, but {revision} is still in force"
    return InForce(fetched.tree(revision), (Problem(NOWHERE, message, _HINT, "not-in-force"),))


def in_force(ground: Ground, state: State, look: Callable[[Tree], _Seen]) -> tuple[InForce, _Seen]:
    """As `Session.in_force`; `state` is asked only where it matters."""
    try:
        found = followed(ground, state)
        return found, look(found.tree)
    except InvalidInput as error:
        if ground.last_fetched:
            raise
        for tree, seen in _sound(ground, state(), look):
            return InForce(tree, (_mistaken(error, tree.revision),)), seen
        raise


def _mistaken(error: InvalidInput, instead: Revision) -> Problem:
    first, many = error.problems[0], len(error.problems)
    where = f"at {first.place}" if str(first.place) else f'"{first.message}"'
    mistakes = f"{many} mistakes, the first one {where}" if many > 1 else f"a mistake {where}"
    return Problem(NOWHERE, f"the files here have {mistakes}; this goes by commit {instead}", _HINT, "not-in-force")


def _sound(ground: Ground, state: FleetState | None, look: Callable[[Tree], _Seen]) -> Iterator[tuple[Tree, _Seen]]:
    """Trees without mistakes: of the last commit, and of the one that a watch of this directory follows."""
    for reference in ("HEAD", *([state.revision.partition("+")[0]] if state else [])):
        with suppress(InvalidInput):
            tree = ground.tree_at(reference)
            yield tree, look(tree)


def _followed_revision(ground: Ground, state: State) -> Revision | None:
    """None: nothing is followed from elsewhere, nobody has followed it yet, or the mirror was made anew."""
    known = state() if ground.last_fetched else None
    if not (ground.last_fetched and known):
        return None
    with suppress(InvalidInput):
        return ground.last_fetched.revision(known.revision)
    return None
