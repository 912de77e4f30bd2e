"""Print what was measured on the hosts: a line each, or everything of one with its last hour.

reconcile hosts metrics             cpu, memory, disk, network and status of all hosts
reconcile hosts metrics web-1       all metrics of one, as expressions of alerts name them
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, known, scope_of

if TYPE_CHECKING:
    from reconciler.model.manifests import Manifests
    from reconciler.reports.metrics import HostMetrics
    from reconciler.store import Store


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts metrics`."""
    parser.add_argument("name", metavar="HOST", nargs="?", help="everything of this host")
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.reports.metrics import host_metrics_text, metrics_json, metrics_text

    with session_of(arguments, console, Access.READ) as session:
        manifests = session.manifests(in_force(session, console))
        names = _names(arguments, manifests)
        found = _found(session.store, names, past=bool(arguments.name))
        now = session.clock.now()
    if console.output == "json":
        console.print(metrics_json(found))
    elif arguments.name:
        console.print(host_metrics_text(found[0], now=now, color=console.color))
    else:
        console.print(metrics_text(found, now=now, color=console.color))
    return Exit.DONE


def _names(arguments: argparse.Namespace, manifests: Manifests) -> list[str]:
    if not arguments.name:
        scope = scope_of(arguments, manifests)
        return [name for name in manifests.hosts if scope.host(name)]
    return [known(arguments.name, manifests.hosts, "host")]


def _found(store: Store, names: list[str], *, past: bool) -> list[HostMetrics]:
    from reconciler.reports.metrics import PAST, HostMetrics

    latest = store.metrics.latest(names)
    found = []
    for name in names:
        known = latest.get(name)
        if known is None:
            found.append(HostMetrics(name))
            continue
        points = store.metrics.series(name, list(known.values), known.at - PAST, known.at) if past else {}
        kept = {text: each for text, each in points.items() if each}
        found.append(HostMetrics(name, known.at, known.status, known.values, kept))
    return found
