"""Show what was done, when, by whom and why; newest first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    from reconciler.cli.naming import check_app, check_host
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.history import history_json, history_text

    with session_of(arguments, console, Access.READ, need_repository=False) as session:
        events = session.store.journal.recent(arguments.lines, host=arguments.host or "", app=arguments.app or "")
        if arguments.host and not events:
            check_host(arguments.host, session)
        if arguments.app and not events:
            check_app(arguments.app, session)
    rows = [_row(event) for event in events]
    console.print(history_json(rows) if console.output == "json" else history_text(rows, color=console.color))
    return Exit.DONE


def _lines(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def _row(event: JournalEvent) -> HistoryRow:
    from reconciler.reports.history import HistoryRow, done_text

    details = dict(event.details)
    done = _done(details.pop("done", {}))
    if len(done) == details.get("changed"):
        del details["changed"]
    fields = {name: str(details.pop(name, "")) for name in ("revision", "who", "reason")}
    rest = (f"{name} {value}" for name, value in sorted(details.items()) if value not in ("", None, 0))
    told = ", ".join([*([done_text(done)] if done else []), *rest])
    what = f"{event.kind}: {told}" if told else event.kind
    return HistoryRow(at=event.at, what=what, host=event.host, app=event.app, done=done, **fields)


def _done(found: object) -> Mapping[str, str]:
    """Resource id -> what was done to it, as far as a host has written that."""
    return {str(name): str(action) for name, action in found.items()} if isinstance(found, dict) else {}
