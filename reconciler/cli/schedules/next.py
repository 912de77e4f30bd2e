"""Print the times at which a schedule is due next, by the clock of its zone and in UTC."""

from __future__ import annotations

import argparse
from itertools import islice

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output
from reconciler.errors import InvalidInput

_MOST = 1_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `schedules next`."""
    parser.add_argument("name", metavar="NAME", help="of the schedule")
    parser.add_argument("-n", "--number", metavar="N", type=int, default=5, help="how many (default: 5)")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Work them out and print; asks no server."""
    from reconciler.cli.options import known
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.reports.schedules import times_json, times_text
    from reconciler.scheduling.timing import timing_of, upcoming

    if not 1 <= arguments.number <= _MOST:
        raise InvalidInput.of("wrong-usage", f"-n {arguments.number} is not from 1 to {_MOST}")
    with session_of(arguments, console, Access.NONE) as session:
        manifests = session.manifests(in_force(session, console))
        schedule = manifests.schedules[known(arguments.name, manifests.schedules, "schedule")]
        timing, now = timing_of(schedule), session.clock.now()
    times = list(islice(upcoming(timing, now), arguments.number)) if timing else []
    console.print(times_json(schedule, times) if console.output == "json" else times_text(schedule, times))
    return Exit.DONE
