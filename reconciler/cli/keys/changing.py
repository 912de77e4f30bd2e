"""What the actions that change keys share: control over the fleet meanwhile, and what is said and kept of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.errors import Refused

if TYPE_CHECKING:
    from reconciler.model.work import Lease
    from reconciler.trust import TrustedKeys
    from reconciler.wiring.session import Session


@contextmanager
def in_control(arguments: argparse.Namespace, console: Console) -> Iterator[tuple[Session, Lease]]:
    """A session in which nobody else signs.

    Raises:
        Refused: somebody controls the fleet, with the keys that it read when it started.
    """
    from reconciler.cli.sessions import Access, session_of
    from reconciler.loops.controlling.control import LEASE_SECONDS
    from reconciler.store import CONTROL

    with session_of(arguments, console, Access.WRITE) as session:
        session.reach.show(session.manifests(session.tree()))
        lease = session.store.leases.acquire(CONTROL, session.holder, LEASE_SECONDS)
        if lease is None:
            holder = session.store.leases.current(CONTROL)
            message = f"{holder.holder if holder else 'somebody'} controls the fleet with the keys as they are"
            raise Refused.of("controlled-elsewhere", message, hint="Stop it, change the keys, then start it again")
        with session.controlled(lease):
            yield session, lease


def put_in_force(session: Session, console: Console, keys: TrustedKeys, what: str) -> None:
    """Sign the list, keep it, and say so."""
    session.change_keys(session.manifests(session.tree()).fleet.metadata.name, keys)
    session.store.journal.append("keys", who=session.who, version=keys.version, what=what)
    console.tell(f"{what}. Version {keys.version} is signed; agents take it when they next look.")
