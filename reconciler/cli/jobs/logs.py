"""Print what a run printed: the last 64 KiB of it on each host. -f follows it until it ends."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.jobs.picking import add_run, picked
from reconciler.cli.options import add_output

_POLL_SECONDS = 0.3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `jobs logs`."""
    add_run(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run has ended")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.printing import Printing
    from reconciler.cli.sessions import Access, session_of
    from reconciler.loops.running.following import RunFollowing
    from reconciler.reports.runs import runs_json, runs_text

    with session_of(arguments, console, Access.READ, need_repository=False) as session:
        works = picked(arguments, session)
        printing = Printing(console, several=len(works) > 1)
        following = RunFollowing(session.store, works, printing)
        try:
            following.turn()
            while arguments.follow and following.waiting:
                session.clock.sleep(_POLL_SECONDS)
                following.turn()
        except KeyboardInterrupt:
            printing.close()
            console.tell(f"The run goes on. To end it: reconcile jobs cancel {works[0].id}")
            return Exit.INTERRUPTED
        printing.close()
        if console.output == "json":
            outputs = (session.store.work.output(work.host, work.id).text for work in following.works)
            console.print(runs_json(list(zip(following.works, outputs, strict=True))))
            return Exit.DONE
    for line in runs_text(following.works, color=False).splitlines():
        console.tell(line)
    return Exit.DONE
