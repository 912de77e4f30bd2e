"""Keep the fleet in its state until stopped: follow the working tree, or a branch of a git repository.

    reconcile watch                                     the working tree; a saved file is enough
    reconcile watch --repo URL --branch main            a branch of any git URL, fetched every 30 s;
                                                        one on this machine as soon as it moves

Mistakes in the manifests end nothing: they are told, what was followed before stays in force, and it goes on once they
are mended. One controller at a time: a second one stands by and takes over within 20 s. SIGTERM ends it cleanly within
10 s.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.loops.log import Log
    from reconciler.loops.watching.following import Source
    from reconciler.wiring.session import Session


COLLECTIONS = (500_000, 20, 20)
"""Thresholds of the garbage collector: a fleet is a million objects that stay, not worth going through often. A watch
collects between its turns, where nobody waits for it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `watch`."""
    parser.add_argument(
        "--repo", metavar="URL", help="follow a branch of this git repository instead of the working tree"
    )
    parser.add_argument("--branch", metavar="NAME", default=None, help="which branch of --repo (default: main)")
    parser.add_argument("--interval", metavar="DURATION", default=None, help="how often to fetch --repo (default: 30s)")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Watch until SIGTERM or SIGINT."""
    import structlog

    from reconciler.cli.sessions import Access, session_of
    from reconciler.logging import configure_logging
    from reconciler.loops.watching.beginning import first_manifests
    from reconciler.wiring.watching import watch_of

    gc.set_threshold(*COLLECTIONS)
    gc.enable()
    stop = threading.Event()
    with session_of(arguments, console, Access.WRITE, need_repository=not arguments.repo) as session:
        settings = session.settings
        level = "debug" if console.verbose else settings.log_level
        configure_logging(level, terminal=sys.stderr.isatty(), masker=session.masker)
        log: Log = structlog.get_logger("reconciler")
        source = _source(session, arguments, stop, log)

        def end(*_: object) -> None:
            stop.set()
            source.wake()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        log.info("watching", source=arguments.repo or str(settings.repository), stop="ctrl-c")
        manifests = first_manifests(source, session.manifests, session.store, stop, log)
        if manifests is not None:
            watch_of(session, source, manifests.fleet.metadata.name, log).run(stop)
        log.info("stopped")
    return Exit.DONE


def _source(session: Session, arguments: argparse.Namespace, stop: threading.Event, log: Log) -> Source:
    from reconciler.wiring.watching import branch_source, tree_source

    if not arguments.repo:
        if arguments.branch or arguments.interval:
            hint = "Without it the working tree is followed, and a saved file is enough"
            raise InvalidInput.of("wrong-usage", "--branch and --interval need --repo", hint=hint)
        return tree_source(session, stop, log)
    from reconciler.manifests.fields import duration_seconds

    text = arguments.interval or "30s"
    interval = duration_seconds(text)
    if not interval:
        raise InvalidInput.of("invalid-duration", f"--interval {text}: no duration", hint="Such as 30s, 5m")
    return branch_source(
        session, arguments.repo, arguments.branch or "main", interval_seconds=interval, stop=stop, log=log
    )
