"""Which runs an id stands for; shared by `jobs logs`, `jobs cancel` and `jobs retry`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.naming import check_host
from reconciler.errors import InvalidInput
from reconciler.model.work import Work
from reconciler.reports.words import listed

if TYPE_CHECKING:
    from reconciler.wiring.session import Session


_LEAST = 4
"""Characters of a part of an id. Fewer may be a slip, such as a number meant for something else, that one run fits."""
_MOST_NAMED = 5
"""Runs that are named where several could be meant."""


def add_run(parser: argparse.ArgumentParser) -> None:
    """The id of a run, and `--host`."""
    about = (
        f"of the run, as `jobs list` shows it; its beginning or its end is enough, of {_LEAST} characters or more, "
        "where no other run has the same"
    )
    parser.add_argument("id", metavar="ID", help=about)
    parser.add_argument("--host", metavar="NAME", help="only on this host (default: everywhere)")


def picked(arguments: argparse.Namespace, session: Session) -> Sequence[Work]:
    """The records of the run.

    Raises:
        InvalidInput: there are none, or several runs could be meant.
    """
    found = session.store.work.find(arguments.id) or session.store.work.find(_whole(arguments, session))
    works = [work for work in found if arguments.host in {None, work.host}]
    if works:
        return works
    if arguments.host:
        check_host(arguments.host, session)
    where = f" on {arguments.host}" if arguments.host else ""
    hint = f"It is on {listed([work.host for work in found])}" if found else "Look: reconcile jobs list"
    raise InvalidInput.of("unknown-run", f"there is no run {arguments.id}{where}", hint=hint)


def _whole(arguments: argparse.Namespace, session: Session) -> str:
    """The id that begins or ends as the given one; the given one where there is none."""
    part = arguments.id
    ids = session.store.work.runs_like(part, arguments.host) if len(part) >= _LEAST else ()
    if len(ids) <= 1:
        return ids[0] if ids else part
    named = ", ".join(_named(id_, session) for id_ in ids[-_MOST_NAMED:])
    more = f" and {len(ids) - _MOST_NAMED} older ones" if len(ids) > _MOST_NAMED else ""
    message = f"{len(ids)} runs begin or end with {part}: {named}{more}"
    raise InvalidInput.of("ambiguous-run", message, hint="Write more of the id")


def _named(run: str, session: Session) -> str:
    works = session.store.work.find(run)
    return f"{run} ({works[0].args.get('job', '')} on {listed([work.host for work in works])})" if works else run
