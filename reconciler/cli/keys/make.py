"""Make a key of your own in a file that only you can read, and print its public half.

Whoever changes keys lets hosts trust it: `reconcile keys add PUBLIC`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `keys make`."""
    parser.add_argument("file", metavar="FILE", type=Path, help="where the key is to be; one that is there is kept")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Make and print."""
    from reconciler.source.keys import load_or_create_seed
    from reconciler.trust import Signer

    console.print(Signer(load_or_create_seed(arguments.file.absolute())).public.hex())
    return Exit.DONE
