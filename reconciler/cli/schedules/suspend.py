"""Keep a schedule from starting runs until it is resumed. What is due meanwhile is skipped and not made up for."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_reason


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `schedules suspend`."""
    parser.add_argument("name", metavar="NAME", help="of the schedule")
    parser.add_argument("--resume", action="store_true", help="let it start runs again")
    add_reason(parser)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Write it, and tell."""
    from reconciler.cli.options import known
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.model.scheduled import Suspension

    with session_of(arguments, console, Access.WRITE) as session:
        schedules = session.manifests(in_force(session, console)).schedules
        name = known(arguments.name, schedules, "schedule")
        if arguments.resume:
            changed = session.store.schedules.resume(name)
        else:
            changed = True
            suspension = Suspension(session.who, session.clock.now(), arguments.reason)
            session.store.schedules.suspend(name, suspension)
        if changed:
            kind = "schedule-resumed" if arguments.resume else "schedule-suspended"
            session.store.journal.append(kind, schedule=name, who=session.who, reason=arguments.reason)
    console.tell(_told(name, resume=arguments.resume, changed=changed))
    if arguments.resume and schedules[name].suspend:
        console.tell("Its manifest suspends it as well.")
    return Exit.DONE


def _told(name: str, *, resume: bool, changed: bool) -> str:
    if not resume:
        return f"Suspended {name}. Let it again: reconcile schedules suspend {name} --resume"
    return f"Resumed {name}." if changed else f"{name} was not suspended."
