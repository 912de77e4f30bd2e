"""List the alerts that fire or are about to: since when, the value, what is said, and why nobody is told."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, all_known
from reconciler.model.alerts import AlertState

if TYPE_CHECKING:
    from reconciler.loops.monitoring.alert_board import Sight


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `alerts list`."""
    parser.add_argument(
        "-l", "--selector", metavar="SELECTOR", help="only alerts with these labels: severity=critical,host=web-1"
    )
    parser.add_argument(
        "--host", action="append", default=[], metavar="NAME", help="only alerts of this host; may be repeated"
    )
    parser.add_argument("-a", "--all", action="store_true", help="also those that resolved in the last 15 minutes")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.alerting.muting import selects
    from reconciler.cli.selecting import refuse, selector_of, strange_words
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.loops.monitoring.alert_board import board
    from reconciler.reports.alerts import alerts_json, alerts_text

    chosen = selector_of(arguments.selector) if arguments.selector else None
    with session_of(arguments, console, Access.READ) as session:
        manifests = session.manifests(in_force(session, console))
        sights = board(session.store, manifests)
        alerts = [sight.alert for sight in sights]
        hosts = all_known(arguments.host, {*manifests.hosts, *(alert.id.host for alert in alerts)}, "host")
        refuse(strange_words(chosen, manifests, alerts) if chosen else ())
        now = session.clock.now()
    found: list[Sight] = [
        sight
        for sight in sights
        if (arguments.all or sight.alert.state is not AlertState.RESOLVED)
        and (chosen is None or selects(chosen, sight.alert))
        and (not hosts or sight.alert.id.host in hosts)
    ]
    console.print(alerts_json(found) if console.output == "json" else alerts_text(found, now=now, color=console.color))
    return Exit.DONE
