"""Serve one host from the host itself: converge it, heal its drift, report. Runs until SIGTERM, which ends it in 10 s.

    reconcile agent                 what the service on the host starts
    reconcile agent --check         whether it could work, and what to do where it could not
    reconcile agent --public-key    the key that secrets of this host are sealed to, made where there is none

It needs RECONCILER_HOST, RECONCILER_FLEET, RECONCILER_REDIS_URL with the host's own Redis user, and keys.json in
RECONCILER_AGENT_DIR: the keys whose signatures it obeys.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import settings_of
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.reports.doctor import Check
    from reconciler.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `agent`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say whether the agent could work here, and end")
    what.add_argument("--public-key", action="store_true", help="print the key that secrets are sealed to, and end")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Serve, check, or print the key."""
    settings = settings_of(arguments, need_repository=False)
    console.warn(settings.warnings)
    if arguments.public_key:
        from reconciler.source.host_files import sealing_key
        from reconciler.trust import sealing_public

        console.print(sealing_public(sealing_key(settings.agent_dir)).hex())
        return Exit.DONE
    return _check(settings, console) if arguments.check else _serve(settings, console)


def _serve(settings: Settings, console: Console) -> Exit:
    import structlog

    from reconciler.cli.systemd import Systemd
    from reconciler.logging import configure_logging
    from reconciler.wiring.agent import open_agent

    gc.enable()
    stop = threading.Event()
    systemd = Systemd()
    with open_agent(settings) as parts:
        level = "debug" if console.verbose else settings.log_level
        configure_logging(level, terminal=sys.stderr.isatty(), masker=parts.masker)
        log = structlog.get_logger("reconciler")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        agent = parts.agent(log, systemd.alive)
        log.info("serving", host=settings.host, fleet=settings.fleet, keys=parts.pinned.keys.version)
        systemd.ready()
        agent.run(stop)
        systemd.stopping()
        log.info("stopped")
    return Exit.DONE


def _check(settings: Settings, console: Console) -> Exit:
    from reconciler.reports.doctor import Outcome, doctor_text

    checks = list(_checks(settings))
    console.print(doctor_text(checks, color=console.color))
    return Exit.CANNOT if any(check.outcome is Outcome.FAIL for check in checks) else Exit.DONE


def _checks(settings: Settings) -> Iterator[Check]:
    from reconciler.reports.doctor import Check, Outcome
    from reconciler.wiring.agent import open_agent

    try:
        with open_agent(settings) as parts:
            yield Check("keys", Outcome.OK, f"version {parts.pinned.keys.version}: {', '.join(parts.pinned.keys.keys)}")
            steps: dict[str, Callable[[], str]] = {
                "sealing key": parts.sealing_public,
                "functions": parts.check_functions,
                "rights": parts.check_rights,
            }
            for name, step in steps.items():
                yield from _tried(name, step)
    except ReconcilerError as error:
        yield from _failed("set-up", error)


def _tried(name: str, step: Callable[[], str]) -> Iterator[Check]:
    from reconciler.reports.doctor import Check, Outcome

    try:
        yield Check(name, Outcome.OK, step())
    except ReconcilerError as error:
        yield from _failed(name, error)


def _failed(name: str, error: ReconcilerError) -> Iterator[Check]:
    from reconciler.reports.doctor import Check, Outcome

    for problem in error.problems:
        yield Check(name, Outcome.FAIL, problem.message, problem.hint)
