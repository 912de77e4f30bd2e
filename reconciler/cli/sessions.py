"""Opens the session of a command, and tells what is odd about its surroundings."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.options import settings_of
from reconciler.wiring.session import Access, Session, open_session

if TYPE_CHECKING:
    from reconciler.loops.planning import Survey

__all__ = ["Access", "Session", "session_of", "survey_of"]


@contextmanager
def session_of(
    arguments: argparse.Namespace, console: Console, access: Access, *, need_repository: bool = True
) -> Iterator[Session]:
    """The joined objects of one command, closed at its end; raises as `open_session` does."""
    settings = settings_of(arguments, need_repository=need_repository)
    console.warn(settings.warnings)
    with open_session(settings, access) as session:
        _warn(session, console)
        try:
            yield session
        finally:
            _warn(session, console)


@contextmanager
def survey_of(arguments: argparse.Namespace, console: Console) -> Iterator[tuple[Session, Survey]]:
    """A session that only reads, with what should be and what is known now."""
    with session_of(arguments, console, Access.READ) as session:
        yield session, session.planning.survey(session.tree())


def _warn(session: Session, console: Console) -> None:
    if session.opened:
        console.warn(session.opened.untold())
