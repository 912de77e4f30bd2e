"""The controller's key when a command needs one: made for a new fleet, missed where the fleet was signed for before.

Called by wiring, `doctor` and `keys rotate`. Who signs a known fleet with a key made on the side would be obeyed by no
agent, so that is done only when somebody says that the old key is lost.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import NOWHERE, Problem, Refused
from reconciler.source.key_lists import put_aside
from reconciler.source.keys import key_file, load_key, load_or_create_key
from reconciler.store import Store
from reconciler.trust import author_of


def signing_seed(state_dir: Path, store: Store) -> bytes:
    """The seed of the controller's key, made where neither a key nor a signed statement is there.

    Raises:
        Refused: `lost-key`: there are statements that this machine cannot have signed.
        InvalidInput: the key cannot be read or made.
    """
    seed = load_key(state_dir)
    if seed is not None:
        return seed
    lost = missed_key(state_dir, store)
    if lost:
        raise Refused([lost])
    return load_or_create_key(state_dir)


def missed_key(state_dir: Path, store: Store) -> Problem | None:
    """What is wrong where this machine has no key and somebody signed for the fleet; None where nobody did."""
    if load_key(state_dir) is not None:
        return None
    authors = {author_of(signed) for signed in store.desired.statements(store.observed.hosts()).values()} - {""}
    if not authors:
        return None
    message = f"the fleet is signed for with key {', '.join(sorted(authors))}, and {key_file(state_dir)} is not there"
    hint = "Restore keys/ in the state directory, or work where it is. Lost for good: reconcile keys rotate --lost"
    return Problem(NOWHERE, message, hint, "lost-key")


def check_lost(state_dir: Path, store: Store) -> None:
    """Whether there is a key to be made anew.

    Raises:
        Refused: `key-not-lost`.
    """
    if missed_key(state_dir, store) is None:
        message = "no key is lost: this machine has one, or nobody has signed for the fleet"
        raise Refused.of("key-not-lost", message, hint="Replace a key that is there: reconcile keys rotate")


def make_anew(state_dir: Path, store: Store) -> bytes:
    """A key in place of the lost one, which nobody introduces to the hosts: they obey the old one until they are told.

    Raises:
        Refused: `key-not-lost`.
        InvalidInput: the key cannot be made.
    """
    check_lost(state_dir, store)
    put_aside(state_dir)
    return load_or_create_key(state_dir)
