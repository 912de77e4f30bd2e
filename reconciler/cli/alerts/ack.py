"""Take care of alerts until they resolve: they are not repeated and do not escalate. Their end is told as usual.

reconcile alerts ack CpuBusy@web-1 --reason "a batch runs"
reconcile alerts ack -l host=web-1
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_reason
from reconciler.errors import InvalidInput, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.alerts import ActiveAlert
    from reconciler.model.manifests import Manifests


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `alerts ack`."""
    parser.add_argument("alerts", nargs="*", metavar="ALERT", help="as `alerts list` names it: CpuBusy@web-1")
    parser.add_argument("-l", "--selector", metavar="SELECTOR", help="all alerts that fire with these labels")
    add_reason(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Note it; the monitor takes it into account at its next turn."""
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.loops.monitoring.alert_board import board
    from reconciler.model.alerts import Acknowledgement

    if not (arguments.alerts or arguments.selector):
        raise InvalidInput.of("wrong-usage", "say which alerts", hint="Look: reconcile alerts list")
    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(in_force(session, console))
        alerts = [sight.alert for sight in board(session.store, manifests)]
        chosen = _chosen(arguments, manifests, alerts)
        now = session.clock.now()
        session.store.alerts.acknowledge(
            {alert.id: Acknowledgement(session.who, now, arguments.reason, alert.started_at) for alert in chosen}
        )
        for alert in chosen:
            session.store.journal.append(
                "acknowledged", host=alert.id.host, alert=str(alert.id), who=session.who, reason=arguments.reason
            )
    console.tell(f"Acknowledged {', '.join(str(alert.id) for alert in chosen)}.")
    return Exit.DONE


def _chosen(
    arguments: argparse.Namespace, manifests: Manifests, alerts: Sequence[ActiveAlert]
) -> Sequence[ActiveAlert]:
    """The alerts that are meant.

    Raises:
        InvalidInput: one does not fire, or the selector picks none.
    """
    from reconciler.alerting.muting import selects
    from reconciler.cli.selecting import refuse, selector_of, strange_words
    from reconciler.errors import NOWHERE

    named = {str(alert.id): alert for alert in alerts if alert.state.told}
    unknown = [name for name in arguments.alerts if name not in named]
    if unknown:
        raise InvalidInput(
            Problem(NOWHERE, f"{name} does not fire", did_you_mean(name, named), "unknown-alert") for name in unknown
        )
    found = {name: named[name] for name in arguments.alerts}
    if arguments.selector:
        selector = selector_of(arguments.selector)
        refuse(strange_words(selector, manifests, alerts))
        found |= {name: alert for name, alert in named.items() if selects(selector, alert)}
    if not found:
        raise InvalidInput.of("unknown-alert", f"no alert that fires matches {arguments.selector}")
    return list(found.values())
