"""List silences: those of the manifests, and those that were set by hand."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `silence list`."""
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.reports.alerts import silences_json, silences_text

    with session_of(arguments, console, Access.READ) as session:
        declared = session.manifests(in_force(session, console)).silences
        found = [*declared.values(), *session.store.alerts.silences().values()]
        now = session.clock.now()
    if console.output == "json":
        console.print(silences_json(found, now=now))
    else:
        console.print(silences_text(found, now=now, color=console.color))
    return Exit.DONE
