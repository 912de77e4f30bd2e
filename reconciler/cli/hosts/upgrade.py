"""Bring the running version to the agents of all hosts, or of those named.

It is installed beside the old one and asked whether it could work there before the agent is switched; where it does not
start, the old one goes on. The first host goes alone; if it fails, the others are left as they are.
"""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.hosts.enroll import add_online
from reconciler.cli.options import all_known
from reconciler.errors import Problem, ReconcilerError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts upgrade`."""
    parser.add_argument("names", metavar="HOST", nargs="*", help="only these hosts (default: all that have an agent)")
    add_online(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Upgrade the first, then the others at once."""
    from reconciler.cli.sessions import Access, followed, session_of
    from reconciler.loops.hosts.crew import Crew
    from reconciler.reports.hosts import agent_told

    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(followed(session, console))
        session.reach.show(manifests)
        named = all_known(arguments.names, manifests.hosts, "host")
        hosts = list(dict.fromkeys(named)) or sorted(session.reach.agents)
        enrolment = session.enrolment(manifests, console.tell)

        def upgraded(host: str) -> tuple[Problem, ...]:
            try:
                done = enrolment.upgrade(host, online=arguments.online)
            except ReconcilerError as error:
                return tuple(error.problems)
            if done.changes:
                session.store.journal.append("upgraded", host=host, who=session.who, version=done.version)
            console.print(agent_told(host, done.version, done.changes))
            return ()

        if not hosts:
            console.print("No host has an agent.")
            return Exit.DONE
        problems = upgraded(hosts[0])
        rest = hosts[1:]
        if problems and rest:
            console.tell(f"{', '.join(rest)}: left as they are.")
        elif rest:
            problems = tuple(problem for found in Crew(lambda _: True).each(upgraded, rest) for problem in found)
    console.problems(problems)
    return Exit.FAILED if problems else Exit.DONE
