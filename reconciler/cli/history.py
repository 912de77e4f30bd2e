"""Show what was done, when, by whom and why; newest first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output

if TYPE_CHECKING:
    from reconciler.reports.history import HistoryRow
    from reconciler.store import JournalEvent


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `history`."""
    parser.add_argument("--host", metavar="NAME", help="only this host")
    parser.add_argument("--app", metavar="NAME", help="only this app")
    parser.add_argument("-n", "--lines", metavar="N", type=_lines, default=50, help="how many events (default: 50)")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read the journal and print."""
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.history import history_json, history_text

    with session_of(arguments, console, Access.READ, need_repository=False) as session:
        events = session.store.journal.recent(arguments.lines, host=arguments.host or "", app=arguments.app or "")
    rows = [_row(event) for event in events]
    console.print(history_json(rows) if console.output == "json" else history_text(rows, color=console.color))
    return Exit.DONE


def _lines(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def _row(event: JournalEvent) -> HistoryRow:
    from reconciler.reports.history import HistoryRow

    details = dict(event.details)
    known = {name: str(details.pop(name, "")) for name in ("revision", "who", "reason")}
    rest = ", ".join(f"{name} {value}" for name, value in sorted(details.items()) if value not in ("", None))
    what = f"{event.kind}: {rest}" if rest else event.kind
    return HistoryRow(at=event.at, what=what, host=event.host, app=event.app, **known)
