"""Look at the hosts now, read-only, and show what differs from what was last applied."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.loops.converging.outcome import HostOutcome
    from reconciler.reports.verify import VerifyRow


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `verify`."""
    add_scope(parser)
    add_output(parser, "json")
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 if anything differs")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Look and print; what was found is recorded for `status` and the next plan."""
    from reconciler.cli.sessions import Access, Session, dial, in_force, session_of

    def ahead(session: Session) -> None:
        with suppress(InvalidInput):  # told by what follows, or not in force
            dial(session, session.followed.tree, arguments)

    with session_of(arguments, console, Access.WRITE, ahead=ahead) as session:
        from reconciler.loops.agents.agent_looks import ask_agents

        manifests = session.manifests(in_force(session, console))
        session.reach.show(manifests)
        scope = scope_of(arguments, manifests)
        executor = session.executor(manifests.fleet.metadata.name)
        hosts = [host for host in manifests.hosts if scope.host(host)]
        apps = sorted(scope.apps) if scope.apps else None
        agents = [host for host in hosts if host in session.reach.agents]
        found = executor.verify_all((host for host in hosts if host not in session.reach.agents), apps)
        found += tuple(ask_agents(session.store, session.clock, agents, apps))
        order = {host: at for at, host in enumerate(hosts)}
        outcomes = sorted(found, key=lambda outcome: order[outcome.host])
        if any(app.drift for outcome in outcomes for app in outcome.apps):
            session.asking(console.tell).tell_of_drift()
    from reconciler.reports.verify import verify_json, verify_text

    rows = [row for outcome in outcomes for row in _rows(outcome)]
    console.print(verify_json(rows) if console.output == "json" else verify_text(rows, color=console.color))
    if any(row.error for row in rows):
        return Exit.FAILED
    return Exit.CHANGES if arguments.detailed_exitcode and any(row.drift for row in rows) else Exit.DONE


def _rows(outcome: HostOutcome) -> list[VerifyRow]:
    from reconciler.reports.verify import VerifyRow

    if outcome.unreachable:
        return [VerifyRow(outcome.host, "", error=outcome.unreachable)]
    return [
        VerifyRow(
            host=outcome.host,
            app=app.app,
            resources=app.ok + app.changed + app.failed + app.unknown,
            drift=app.drift,
            error="; ".join(str(problem) for problem in app.problems),
        )
        for app in outcome.apps
    ]
