"""Seal the secrets of agents' hosts anew, although none of them changed.

An apply and a watch seal by themselves what changed. This is for after `connection.sealingKey` was suspected, or what
stands in Redis was damaged: the hosts are told everything again under a new generation.
"""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_scope, scope_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `secrets seal`."""
    add_scope(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Sign and write the statements of these hosts again.

    Raises:
        Refused: somebody else controls the fleet, or what stands in Redis is not what was signed.
        InvalidInput: secrets are not found.
    """
    from reconciler.cli.keys.changing import in_control

    with in_control(arguments, console) as (session, lease):
        manifests = session.manifests(session.tree())
        scope = scope_of(arguments, manifests)
        hosts = [host for host in sorted(session.reach.agents) if scope.host(host)]
        sealed = session.controller(manifests.fleet.metadata.name).seal_again(hosts, lease.term)
    console.tell(f"Sealed for {', '.join(sealed)}." if sealed else "No host of these has secrets that are sealed.")
    return Exit.DONE
