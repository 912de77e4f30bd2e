"""List the hosts: how they are reached, when they were last seen at work, who holds them up."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of

if TYPE_CHECKING:
    from reconciler.loops.planning import Survey
    from reconciler.planner.scope import Scope
    from reconciler.reports.hosts import HostRow


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts list`."""
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import Access, session_of
    from reconciler.reports.hosts import hosts_json, hosts_text

    with session_of(arguments, console, Access.READ) as session:
        tree = session.working_tree.tree()
        scope = scope_of(arguments, session.manifests(tree))
        situation = session.planning.survey(tree)
        now = session.clock.now()
    rows = _rows(situation, scope)
    console.print(hosts_json(rows) if console.output == "json" else hosts_text(rows, now=now, color=console.color))
    return Exit.DONE


def _rows(situation: Survey, scope: Scope) -> list[HostRow]:
    from reconciler.planner.placement import connections
    from reconciler.reports.hosts import HostRow

    how = connections(situation.manifests)
    rows = []
    for name, host in situation.manifests.hosts.items():
        if not scope.host(name):
            continue
        known = situation.observed.get(name)
        kind = how[name].type
        times = [app.finished_at for app in known.apps.values() if app.finished_at] if known else []
        maintenance = host.maintenance
        state = f"maintenance until {maintenance.until:%Y-%m-%d %H:%MZ}: {maintenance.reason}" if maintenance else ""
        rows.append(
            HostRow(
                name=name,
                address=host.address,
                connection="sandbox" if host.sandbox_root else kind.value if kind else "ssh",
                labels=host.labels,
                apps=len(situation.desired.hosts[name]),
                seen_at=max(times, default=None),
                state=_paused(known.paused) if known and known.paused else state,
            )
        )
    return rows


def _paused(reasons: Mapping[str, str]) -> str:
    """`paused: disk swap`, or for single apps `paused webapp: debugging`."""
    return "; ".join(f"paused{'' if app == '*' else f' {app}'}: {why}" for app, why in sorted(reasons.items()))
