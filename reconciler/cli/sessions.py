"""Opens the session of a command, and tells what is odd about its surroundings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.options import scope_of, settings_of
from reconciler.wiring.session import Access, Session, open_session

if TYPE_CHECKING:
    from reconciler.loops.controlling.planning import Survey
    from reconciler.model.tree import Tree
    from reconciler.wiring.in_force import InForce

_PROMPT_SECONDS = 0.001
"""How long a thread that shakes hands with a host waits for one that loads libraries; else five times as long."""

__all__ = [
    "Access",
    "Session",
    "dial",
    "followed",
    "in_force",
    "session_of",
    "survey_of",
    "surveyed_as_followed",
    "surveyed_in_force",
]


@contextmanager
def session_of(
    arguments: argparse.Namespace,
    console: Console,
    access: Access,
    *,
    need_repository: bool = True,
    ahead: Callable[[Session], None] | None = None,
) -> Iterator[Session]:
    """The joined objects of one command, closed at its end; arguments and errors as of `open_session`."""
    settings = settings_of(arguments, need_repository=need_repository)
    console.warn(settings.warnings)
    with open_session(settings, access, ahead=ahead) as session:
        _warn(session, console)
        try:
            yield session
        finally:
            _warn(session, console)


@contextmanager
def survey_of(
    arguments: argparse.Namespace, console: Console, surveyed: Callable[[Session, Console], Survey]
) -> Iterator[tuple[Session, Survey]]:
    """A session that only reads, with what should be and is known, `surveyed_in_force` or `surveyed_as_followed`."""
    with session_of(arguments, console, Access.READ) as session:
        yield session, surveyed(session, console)


def surveyed_as_followed(session: Session, console: Console) -> Survey:
    """By the files of `followed`."""
    return session.planning.survey(followed(session, console))


def surveyed_in_force(session: Session, console: Console) -> Survey:
    """As `in_force`, also while files that are right by themselves make no whole, as with a name that no host has."""
    found, survey = session.in_force(session.planning.survey)
    _told(found, console)
    return survey


def followed(session: Session, console: Console) -> Tree:
    """For commands whose result stands in the manifests: the files that the fleet is to follow, with their mistakes.

    Where a watch fetches them, those of the revision that it follows; tells that there is a newer one.
    """
    return _told(session.followed, console)


def in_force(session: Session, console: Console) -> Tree:
    """For commands that look after the fleet: the same, but while these have mistakes those of the last commit."""
    found, _ = session.in_force(session.sound_manifests)
    return _told(found, console)


def _told(found: InForce, console: Console) -> Tree:
    console.warn(found.warnings)
    return found.tree


def dial(session: Session, tree: Tree, arguments: argparse.Namespace) -> None:
    """Begin to connect to the hosts of a tree that the flags choose, as far as all of them are worked on at once.

    The store is opened beside that, once there is no mistake in manifests and flags: it may have to be started.
    """

    def get_ready(_: object) -> None:
        session.get_ready_to_dial()
        session.get_ready_to_work()

    manifests = session.manifests(tree, meanwhile=get_ready)
    scope = scope_of(arguments, manifests)
    session.open_ahead()
    from reconciler.loops.hosts.crew import AT_ONCE

    session.reach.show(manifests)
    hosts = [host for host in manifests.hosts if scope.host(host) and session.reach.remote(host)]
    if len(hosts) <= AT_ONCE:
        sys.setswitchinterval(_PROMPT_SECONDS)
        session.reach.approach(hosts)


def _warn(session: Session, console: Console) -> None:
    if session.opened:
        console.warn(session.opened.untold())
