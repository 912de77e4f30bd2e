"""End silences that were set by hand, now."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.errors import NOWHERE, InvalidInput, Problem, did_you_mean


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `silence expire`."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="as `silence list` names it")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """End them; the monitor takes it into account at its next turn.

    Raises:
        InvalidInput: one does not exist, or stands in the manifests.
    """
    from reconciler.cli.sessions import Access, in_force, session_of

    with session_of(arguments, console, Access.WRITE) as session:
        declared = session.manifests(in_force(session, console)).silences
        known = session.store.alerts.silences()
        problems = []
        for name in arguments.names:
            if name in declared:
                where = declared[name].metadata.origin.file
                problems.append(Problem(NOWHERE, f"{name} stands in {where}", "Change it there", "unknown-silence"))
            elif name not in known:
                hint = did_you_mean(name, known) or "Look: reconcile silence list"
                problems.append(Problem(NOWHERE, f'there is no silence "{name}"', hint, "unknown-silence"))
        if problems:
            raise InvalidInput(problems)
        session.store.alerts.forget_silences(arguments.names)
        for name in arguments.names:
            session.store.journal.append("silence-ended", silence=name, who=session.who)
    console.tell(f"Ended {', '.join(arguments.names)}.")
    return Exit.DONE
