"""Run again, under the same id, what failed, was cancelled or is dead; where it succeeded it is left alone.

It is signed anew with the key of this machine. Like `run`, it is carried out here unless a watch or an agent does it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.jobs.picking import add_run, picked
from reconciler.cli.options import add_output
from reconciler.errors import Problem, Refused

if TYPE_CHECKING:
    from reconciler.loops.running.submitting import Submitter
    from reconciler.model.work import Work


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `jobs retry`."""
    add_run(parser)
    add_output(parser, "json")
    parser.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="wait and show what it prints (default)"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Sign, make due, wait."""
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.cli.waiting import recap, waited

    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(in_force(session, console))
        session.reach.show(manifests)
        fleet = manifests.fleet.metadata.name
        submitter = session.submitter(fleet)
        asked = picked(arguments, session)
        works, problems = _asked(submitter, asked)
        if not works and problems:
            raise Refused(problems)
        if not works:
            raise Refused.of("nothing-to-retry", f"nothing of run {asked[0].id} failed, was cancelled or is dead")
        console.warn(problems)
        for work in works:
            session.store.journal.append("retried", host=work.host, run=work.id, who=session.who)
        ended = waited(works, fleet, session, console) if arguments.wait else recap(works, session, console)
        return Exit.FAILED if problems else ended


def _asked(submitter: Submitter, works: Sequence[Work]) -> tuple[Sequence[Work], Sequence[Problem]]:
    """What is due again, and why something is not: what one host made of its record keeps no other waiting."""
    due: list[Work] = []
    problems: list[Problem] = []
    for work in works:
        try:
            again = submitter.retry(work)
        except Refused as error:
            problems += error.problems
        else:
            due += [again] if again else []
    return due, problems
