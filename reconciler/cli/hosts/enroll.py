"""Bring an agent to a host over SSH, or take it away again with --remove.

The agent works on its own host from then on; nobody logs in to it any more. Its files, a systemd unit, the list of
trusted keys and a Redis user of its own are put there, and the host's manifest in this working tree gets
`connection.type: agent` and the host's sealing key, for you to commit. A second run changes nothing; one that was cut
off is completed by the next.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import known
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.enrolment.enroll import Enrolment
    from reconciler.model.manifests import Host
    from reconciler.wiring.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts enroll`."""
    parser.add_argument("name", metavar="HOST", help="a host of the manifests, reachable over SSH")
    parser.add_argument("--redis-url", metavar="URL", help="how hosts reach Redis, where that differs from here")
    add_online(parser)
    parser.add_argument("--remove", action="store_true", help="take the agent away again; the ledger and backups stay")
    parser.add_argument("--purge", action="store_true", help="with --remove: the ledger and the backups too")


def add_online(parser: argparse.ArgumentParser) -> None:
    """`--online`."""
    parser.add_argument(
        "--online",
        action="store_true",
        help="let the host fetch the libraries from its own index (default: sent there)",
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Install or remove."""
    from reconciler.cli.sessions import Access, session_of

    if arguments.purge and not arguments.remove:
        raise InvalidInput.of("wrong-usage", "--purge belongs to --remove")
    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(session.working_tree.tree())
        host = manifests.hosts[known(arguments.name, manifests.hosts, "host")]
        session.reach.show(manifests)
        enrolment = session.enrolment(manifests, console.tell)
        (_remove if arguments.remove else _enroll)(session, enrolment, host, arguments, console)
    return Exit.DONE


def _enroll(
    session: Session, enrolment: Enrolment, host: Host, arguments: argparse.Namespace, console: Console
) -> None:
    from reconciler.cli.hosts.recording import record
    from reconciler.reports.hosts import agent_told

    enrolled = enrolment.enroll(host.name, redis_url=arguments.redis_url, online=arguments.online)
    if enrolled.changes:
        session.store.journal.append("enrolled", host=host.name, who=session.who, version=enrolled.version)
    console.print(agent_told(host.name, enrolled.version, enrolled.changes))
    record(session.working_tree, host, {"type": "agent", "sealingKey": enrolled.sealing_key}, console)


def _remove(
    session: Session, enrolment: Enrolment, host: Host, arguments: argparse.Namespace, console: Console
) -> None:
    from reconciler.cli.hosts.recording import record

    removed = enrolment.remove(host.name, purge=arguments.purge)
    if removed:
        session.store.journal.append("agent-removed", host=host.name, who=session.who)
    console.print(f"{host.name}: removed {', '.join(removed)}." if removed else f"{host.name}: it has no agent.")
    if removed and not arguments.purge:
        console.tell("/var/lib/reconciler stays there: the ledger and the backups. --purge takes them too.")
    record(session.working_tree, host, {"type": "ssh", "sealingKey": None}, console)
