"""Run again, under the same id, what failed, was cancelled or is dead; where it succeeded it is left alone.

It is signed anew with the key of this machine. Like `run`, it is carried out here unless a watch or an agent does it.
"""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.jobs.picking import add_run, picked
from reconciler.cli.options import add_output
from reconciler.errors import Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `jobs retry`."""
    add_run(parser)
    add_output(parser, "json")
    parser.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="wait and show what it prints (default)"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Sign, make due, wait."""
    from reconciler.cli.sessions import Access, session_of
    from reconciler.cli.waiting import recap, waited

    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(session.working_tree.tree())
        session.reach.show(manifests)
        fleet = manifests.fleet.metadata.name
        submitter = session.submitter(fleet)
        works = [again for work in picked(arguments, session) if (again := submitter.retry(work))]
        if not works:
            raise Refused.of("nothing-to-retry", f"nothing of run {arguments.id} failed, was cancelled or is dead")
        for work in works:
            session.store.journal.append("retried", host=work.host, run=work.id, who=session.who)
        return waited(works, fleet, session, console) if arguments.wait else recap(works, session, console)
