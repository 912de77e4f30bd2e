"""Show what an apply would do; change nothing anywhere.

With --against REF nothing is asked but git: the manifests are compared with those of another revision.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, facts_of, scope_of
from reconciler.resources.values import replace

if TYPE_CHECKING:
    from reconciler.loops.controlling.planning import Situation
    from reconciler.model.plan import Plan
    from reconciler.wiring.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `plan`."""
    add_scope(parser)
    add_output(parser, "json", "markdown", "github")
    parser.add_argument("--against", metavar="REF", help="compare with this git revision instead of asking Redis")
    parser.add_argument(
        "--facts", metavar="FILE", type=Path, help="facts of hosts, from `reconcile hosts facts -o json`"
    )
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 if there are changes or unknowns")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Plan and print."""
    from reconciler.cli.sessions import Access, session_of

    access = Access.NONE if arguments.against else Access.READ
    with session_of(arguments, console, access) as session:
        situation = situation_of(session, arguments)
    show(situation.plan, console, dry_run=True)
    return Exit.CHANGES if arguments.detailed_exitcode and not situation.plan.empty else Exit.DONE


def situation_of(session: Session, arguments: argparse.Namespace) -> Situation:
    """The situation that the flags ask about."""
    from reconciler.loops.controlling.loading import get_ready_to_compose

    tree = session.first_tree
    scope = scope_of(arguments, session.manifests(tree, meanwhile=get_ready_to_compose))
    scope = replace(
        scope,
        override_freeze=getattr(arguments, "override_freeze", False),
        override_drain=getattr(arguments, "override_drain", False),
    )
    facts = facts_of(arguments)
    against = getattr(arguments, "against", None)
    if against:
        return session.planning.against(tree, session.tree_at(against), scope, facts)
    return session.planning.plan(tree, scope, facts, look=True)


def show(plan: Plan, console: Console, *, dry_run: bool) -> None:
    """Print the plan in the asked form."""
    if console.output == "json":
        from reconciler.reports.plan_json import plan_json

        console.print(plan_json(plan))
    elif console.output in {"markdown", "github"}:
        from reconciler.reports.plan_markdown import plan_github, plan_markdown

        console.print(plan_markdown(plan) if console.output == "markdown" else plan_github(plan))
    else:
        from reconciler.reports.plan_text import plan_text

        console.print(plan_text(plan, color=console.color, dry_run=dry_run, verbose=console.verbose))
