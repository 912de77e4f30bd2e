"""Show the keys that hosts are to trust, and what each may sign."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `keys list`."""
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.keys import keys_json, keys_text

    with session_of(arguments, console, Access.WRITE) as session:
        keys, own = session.key_lists.current, session.signer.key_id if session.signer else ""
    console.print(keys_json(keys) if console.output == "json" else keys_text(keys, own, color=console.color))
    return Exit.DONE
