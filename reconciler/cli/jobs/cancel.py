"""Cancel a run in any state: what waits is not begun, and of what is under way the processes are ended."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.jobs.picking import add_run, picked
from reconciler.cli.options import add_reason


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `jobs cancel`."""
    add_run(parser)
    add_reason(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Cancel, and tell what that did."""
    from reconciler.cli.sessions import Access, session_of

    with session_of(arguments, console, Access.WRITE, need_repository=False) as session:
        works = picked(arguments, session)
        reason = arguments.reason or f"by {session.who}"
        cancelled = [work for work in works if session.store.work.cancel(work.host, work.id, reason=reason)]
        for work in cancelled:
            session.store.journal.append("cancelled", host=work.host, run=work.id, who=session.who, reason=reason)
    for work in works:
        told = f"cancelled; it was {work.state.value}" if work in cancelled else f"it had ended: {work.state.value}"
        console.tell(f"{work.host}: {told}")
    return Exit.DONE if cancelled else Exit.CANNOT
