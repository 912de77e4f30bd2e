"""Leave hosts, or one app on them, alone until they are resumed. Remembered on the host too, so it outlives Redis."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_reason, add_scope
from reconciler.cli.pausing import set_paused


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `pause`."""
    add_scope(parser)
    add_reason(parser, required=True)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Pause what the flags pick."""
    return set_paused(arguments, console, arguments.reason)
