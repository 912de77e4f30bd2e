"""List work that is waiting, under way or done: converge marks and runs of jobs.

Of a run's id the last eight characters are shown, which is enough for the other commands; -v shows all of it.
"""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output
from reconciler.model.work import RUN, WorkState


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `jobs list`."""
    parser.add_argument("--host", metavar="NAME", help="only of this host")
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in WorkState],
        metavar="STATE",
        help="only in this state; may be repeated: queued, leased, running, retrying, dead ...",
    )
    parser.add_argument("--job", metavar="NAME", help="only runs of this job")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.naming import check_host, check_job
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.jobs import jobs_json, jobs_text

    states = [WorkState(state) for state in arguments.state]
    with session_of(arguments, console, Access.READ, need_repository=False) as session:
        works = session.store.work.list(arguments.host, states)
        if arguments.job:
            works = [work for work in works if work.kind == RUN and work.args.get("job") == arguments.job]
        if arguments.host and not works:
            check_host(arguments.host, session)
        if arguments.job and not works:
            check_job(arguments.job, session)
        now = session.clock.now()
    if console.output == "json":
        console.print(jobs_json(works))
    else:
        columns = 0 if console.verbose else console.columns
        console.print(jobs_text(works, now=now, color=console.color, columns=columns, whole=console.verbose))
    return Exit.DONE
