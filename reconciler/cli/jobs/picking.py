"""Which runs an id stands for; shared by `jobs logs`, `jobs cancel` and `jobs retry`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.errors import InvalidInput
from reconciler.model.work import Work

if TYPE_CHECKING:
    from reconciler.wiring.session import Session


def add_run(parser: argparse.ArgumentParser) -> None:
    """The id of a run, and `--host`."""
    parser.add_argument("id", metavar="ID", help="of the run, as `jobs list` shows it")
    parser.add_argument("--host", metavar="NAME", help="only on this host (default: everywhere)")


def picked(arguments: argparse.Namespace, session: Session) -> Sequence[Work]:
    """The records of the run.

    Raises:
        InvalidInput: there are none.
    """
    works = [work for work in session.store.work.find(arguments.id) if arguments.host in {None, work.host}]
    if not works:
        where = f" on {arguments.host}" if arguments.host else ""
        raise InvalidInput.of("unknown-run", f"there is no run {arguments.id}{where}", hint="Look: reconcile jobs list")
    return works
