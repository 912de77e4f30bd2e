"""Show what is in sync, healthy and drifted, as far as Redis and local ledgers know.

With --watch again every two seconds until Ctrl-C, which is its usual end (exit 0): drawn in place on a terminal,
elsewhere printed whenever it is another one. Of a single host (--host), and with -v, what changed in the texts of
drifted files is shown too.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of
from reconciler.errors import ReconcilerError
from reconciler.resources.values import replace

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.cli.redrawing import Draw
    from reconciler.loops.controlling.planning import Survey
    from reconciler.reports.status import StatusRow
    from reconciler.wiring.session import Session

_AGAIN_SECONDS = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `status`."""
    add_scope(parser)
    add_output(parser, "json")
    parser.add_argument("--watch", action="store_true", help="show it again and again until Ctrl-C")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import survey_of, surveyed_in_force

    if arguments.watch:
        _again_and_again(arguments, console)
    else:
        with survey_of(arguments, console, surveyed_in_force) as (session, survey):
            rows = _rows(session, survey, arguments)
            console.print(_text(rows, session.clock.now(), console))
    return Exit.DONE


def _again_and_again(arguments: argparse.Namespace, console: Console) -> None:
    from reconciler.cli.redrawing import redrawn, until_interrupted
    from reconciler.cli.sessions import Access, session_of

    def until_store_is_made(session: Session, draw: Draw) -> None:
        while not stop.is_set():
            _show(session, arguments, console, draw)
            if stop.wait(_AGAIN_SECONDS) or session.store.temporary:
                return

    with until_interrupted() as stop, redrawn(console) as draw:
        while not stop.is_set():
            with session_of(arguments, console, Access.READ) as session:
                until_store_is_made(session, draw)


def _show(session: Session, arguments: argparse.Namespace, console: Console, draw: Draw) -> None:
    """One look; what keeps it from being taken is shown instead, and may be mended meanwhile."""
    from reconciler.reports.problems import problems_json, problems_text
    from reconciler.reports.words import moment

    now = session.clock.now()
    try:
        session.planning.forget()
        found, survey = session.in_force(session.planning.survey)
        rows = _rows(session, survey, arguments)
        warnings = "" if console.output == "json" else "".join(f"warning: {it}\n" for it in found.warnings)
        text, what = f"{warnings}{_text(rows, now, console)}", str([warnings, *(replace(row, at=None) for row in rows)])
    except ReconcilerError as error:
        in_json = console.output == "json"
        text = problems_json(error.problems) if in_json else problems_text(error.problems, color=console.color)
        what = str(error)
    draw(f"reconcile status at {moment(now)}", text, what)


def _rows(session: Session, survey: Survey, arguments: argparse.Namespace) -> list[StatusRow]:
    from reconciler.reports.status import status_rows

    scope = scope_of(arguments, survey.manifests)
    rows = status_rows(survey.desired, survey.observed, session.planning.spoken_to(survey))
    return [row for row in rows if scope.host(row.host) and scope.app(row.app)]


def _text(rows: list[StatusRow], now: datetime, console: Console) -> str:
    from reconciler.reports.status import status_json, status_text

    if console.output == "json":
        return status_json(rows)
    return status_text(rows, now=now, color=console.color, verbose=console.verbose)
