"""Take paused hosts, or one paused app on them, back into care."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_scope
from reconciler.cli.pausing import set_paused


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `resume`."""
    add_scope(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Resume what the flags pick."""
    return set_paused(arguments, console, "")
