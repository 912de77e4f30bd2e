"""Forget a host that left the manifests: what Redis holds of it, and the Redis user of its agent. It is not touched.

A watch, or the next apply, forgets what Redis holds by itself; the user stays until somebody takes it away.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_reason
from reconciler.errors import InvalidInput, Refused, did_you_mean

if TYPE_CHECKING:
    from reconciler.wiring.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts forget`."""
    parser.add_argument("host", metavar="HOST", help="a host that is in no manifest any more")
    add_reason(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Forget and say so.

    Raises:
        Refused: it is in the manifests.
        InvalidInput: nobody has heard of it.
    """
    from reconciler.cli.sessions import Access, session_of

    host: str = arguments.host
    with session_of(arguments, console, Access.WRITE) as session:
        if host in session.manifests(session.tree()).hosts:
            hint = "Write lifecycle: retire, apply, then delete its manifest"
            raise Refused.of("host-declared", f"{host} is in the manifests", hint=hint)
        known = session.store.observed.hosts()
        user = session.store.users.state(host)
        if host not in known and user is None:
            raise InvalidInput.of("unknown-name", f"nothing is known of {host}", hint=did_you_mean(host, known))
        if host in known:
            _forget(session, host)
        kept = session.store.users.remove(host) if user is not None else ""
        session.store.journal.append("forgotten", subject=host, who=session.who, reason=arguments.reason)
    console.tell(f"Forgot {host}; the host itself was not touched.{f' {kept}.' if kept else ''}")
    return Exit.DONE


def _forget(session: Session, host: str) -> None:
    """Take out of Redis what stands there of the host, as the one who has control."""
    from reconciler.loops.controlling.control import LEASE_SECONDS
    from reconciler.store import CONTROL

    lease = session.store.leases.acquire(CONTROL, session.holder, LEASE_SECONDS)
    if lease is None:
        holder = session.store.leases.current(CONTROL)
        message = f"{holder.holder if holder else 'somebody'} has control, and forgets hosts that left the manifests"
        raise Refused.of("controlled-elsewhere", message, hint="Once it follows this revision the host is gone")
    with session.controlled(lease):
        session.store.desired.forget(host, lease.term)
