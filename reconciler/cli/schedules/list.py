"""List schedules with their last and next runs, and why runs were skipped. With -v the last 20 of each."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `schedules list`."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these (default: all)")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.options import all_known
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.loops.scheduling.view import views
    from reconciler.reports.schedules import schedules_json, schedules_text

    with session_of(arguments, console, Access.READ) as session:
        manifests = session.manifests(in_force(session, console))
        names = all_known(arguments.names, manifests.schedules, "schedule")
        found = views(manifests, session.store, session.clock.now(), names)
    if console.output == "json":
        console.print(schedules_json(found))
    else:
        console.print(schedules_text(found, color=console.color, everything=console.verbose))
    return Exit.DONE
