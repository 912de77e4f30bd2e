"""Show what is in sync, healthy and drifted, as far as Redis and local ledgers know."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `status`."""
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.status import status_json, status_rows, status_text

    with session_of(arguments, console, Access.READ) as session:
        tree = session.working_tree.tree()
        scope = scope_of(arguments, session.manifests(tree))
        situation = session.planning.survey(tree)
        now = session.clock.now()
    rows = [
        row for row in status_rows(situation.desired, situation.observed) if scope.host(row.host) and scope.app(row.app)
    ]
    if console.output == "json":
        console.print(status_json(rows))
    else:
        console.print(status_text(rows, now=now, color=console.color, verbose=console.verbose))
    return Exit.DONE
