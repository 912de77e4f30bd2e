"""List the hosts: how they are reached, when they were last seen at work, who holds them up."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of
from reconciler.model.observed import ObservedHost

if TYPE_CHECKING:
    from reconciler.loops.controlling.planning import Survey
    from reconciler.model.manifests import Host
    from reconciler.planner.scope import Scope
    from reconciler.reports.hosts import HostRow


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts list`."""
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import survey_of, surveyed_in_force
    from reconciler.reports.hosts import hosts_json, hosts_text

    with survey_of(arguments, console, surveyed_in_force) as (session, survey):
        rows = _rows(survey, scope_of(arguments, survey.manifests))
        now = session.clock.now()
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
        known = situation.observed.get(name, ObservedHost())
        kind = how[name].type
        times = [at for at in (known.seen_at, *(app.finished_at for app in known.apps.values())) if at]
        rows.append(
            HostRow(
                name=name,
                address=host.address,
                connection="sandbox" if host.sandbox_root else kind.value if kind else "ssh",
                labels=host.labels,
                apps=len(situation.desired.hosts[name]),
                seen_at=max(times, default=None),
                state="; ".join(_states(host, known)),
            )
        )
    return rows


def _states(host: Host, known: ObservedHost) -> Iterator[str]:
    """What keeps the host from being worked on: `paused: disk swap`, for single apps `paused webapp: debugging`."""
    if known.unreachable:
        yield f"unreachable: {known.unreachable.splitlines()[0]}"
    if known.paused:
        yield from (f"paused{'' if app == '*' else f' {app}'}: {why}" for app, why in sorted(known.paused.items()))
    elif host.maintenance:
        yield f"maintenance until {host.maintenance.until:%Y-%m-%d %H:%MZ}: {host.maintenance.reason}"
