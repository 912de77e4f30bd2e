"""Run a job, or a command, on hosts: sign, confirm, show what it prints, recap.

    reconcile run backup --host db-1 -p database=shop          a Job of the manifests
    reconcile run -l role=web --command 'df -h | tail -1'      a line for the shell
    reconcile run -l role=web --command -- uptime -p           a command as it stands, no shell

Local hosts and those over SSH are worked on here, unless a watch does it; agents do their own work. A host that cannot
be reached ends its run at once; one whose job has retries, or onLost: retry, waits for it until --expires. The run goes
on without you with --no-wait: reconcile jobs logs ID -f
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_reason, hosts_of, known
from reconciler.errors import InvalidInput, Refused
from reconciler.model.work import BY_THE_CLOCK, PRIORITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.loops.running.submitting import Order
    from reconciler.model.manifests import Job, Manifests
    from reconciler.model.metadata import Value
    from reconciler.model.tree import Tree
    from reconciler.model.work import Work
    from reconciler.wiring.session import Session

_LONGEST_SECONDS = 86_400.0 * 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `run`."""
    parser.add_argument("words", metavar="JOB", nargs="*", help="name of the job; after --command -- the words of one")
    parser.add_argument(
        "--command", nargs="?", const="", metavar="TEXT", help="run this by /bin/sh -c; alone: the words after --"
    )
    parser.add_argument(
        "-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter; may be repeated"
    )
    group = parser.add_argument_group("which hosts (all of them: -l '*')")
    group.add_argument("--host", action="append", default=[], metavar="NAME", help="this host; may be repeated")
    group.add_argument("-l", "--selector", metavar="SELECTOR", help="hosts with these labels: role=web,zone!=eu-1")
    group.add_argument("--exclude", action="append", default=[], metavar="HOST", help="not this host; may be repeated")
    add_output(parser, "json")
    add_reason(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="wait and show what it prints (default)"
    )
    parser.add_argument(
        "--expires", metavar="DURATION", default="1h", help="do not begin it later than this (default: 1h)"
    )
    parser.add_argument(
        "--priority",
        type=int,
        choices=range(10),
        default=PRIORITY,
        metavar="N",
        help=f"of what waits on a host 0 goes first and 9 last (default: {PRIORITY}; by schedules: {BY_THE_CLOCK})",
    )
    parser.add_argument(
        "--timeout", metavar="DURATION", help="end an attempt after this long (default: the job's, 10m)"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Check, ask, submit, wait, recap."""
    from reconciler.cli.sessions import Access, followed, session_of
    from reconciler.cli.waiting import recap, waited

    with session_of(arguments, console, Access.WRITE) as session:
        tree = followed(session, console)
        manifests = session.manifests(tree)
        session.reach.show(manifests)
        order = _order(arguments, manifests, session)
        if not console.agreed(_question(order), yes=arguments.yes):
            return Exit.CANNOT
        works = _submitted(order, manifests, tree, session)
        console.tell(f"Run {order.id} of {order.job.metadata.name}.")
        if arguments.wait:
            return waited(works, manifests.fleet.metadata.name, session, console)
        console.tell(f"Follow it: reconcile jobs logs {order.id} -f")
        return recap(works, session, console)


def _order(arguments: argparse.Namespace, manifests: Manifests, session: Session) -> Order:
    from datetime import timedelta

    from reconciler.clock import ulid
    from reconciler.loops.running.submitting import Order

    job, params = _job(arguments, manifests)
    now = session.clock.now()
    return Order(
        id=ulid(now),
        job=job,
        params=params,
        hosts=tuple(sorted(_targets(arguments, manifests))),
        not_after=now + timedelta(seconds=_seconds("--expires", arguments.expires)),
        by=session.who,
        reason=arguments.reason,
        priority=arguments.priority,
    )


def _job(arguments: argparse.Namespace, manifests: Manifests) -> tuple[Job, Mapping[str, Value]]:
    """The job that is meant, and its parameters.

    Raises:
        InvalidInput: there is none of that name, or something is wrong with a parameter.
    """
    from reconciler.planner.jobs import bind, command_job
    from reconciler.resources.values import replace

    timeout = _seconds("--timeout", arguments.timeout) if arguments.timeout else None
    given = dict(_pair(text) for text in arguments.param)
    if arguments.command is not None:
        if given or not (arguments.command or arguments.words) or (arguments.command and arguments.words):
            raise InvalidInput.of("wrong-usage", "--command takes one TEXT, or words after --, and no parameters")
        words = list(arguments.words) or ["/bin/sh", "-c", arguments.command]
        return command_job(timeout_seconds=timeout or 600.0), {"argv": words}
    if len(arguments.words) != 1:
        hint = "reconcile run JOB --host NAME, or reconcile run --host NAME --command -- WORDS"
        raise InvalidInput.of("wrong-usage", "say which job to run", hint=hint)
    job = manifests.jobs[known(arguments.words[0], manifests.jobs, "job", _jobs_there_are(manifests))]
    return replace(job, timeout_seconds=timeout or job.timeout_seconds), bind(job, given)


def _jobs_there_are(manifests: Manifests) -> str:
    from reconciler.reports.words import listed

    there = f"Jobs: {listed(manifests.jobs)}" if manifests.jobs else "The manifests have no jobs"
    return f"{there}. For a command: --command -- WORDS"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput.of("wrong-usage", f"-p {text}: no value", hint=f"-p {name}=VALUE")
    return name, value


def _targets(arguments: argparse.Namespace, manifests: Manifests) -> frozenset[str]:
    if not (arguments.host or arguments.selector):
        raise Refused.of("no-scope", "say which hosts", hint="--host, or -l '*' for all")
    return hosts_of(arguments, manifests) or frozenset(manifests.hosts)


def _seconds(flag: str, text: str) -> float:
    from reconciler.manifests.fields import duration_seconds

    seconds = duration_seconds(text)
    if not seconds or seconds > _LONGEST_SECONDS:
        raise InvalidInput.of("invalid-duration", f"{flag} {text}: no duration", hint="Such as 90s, 5m, 2h")
    return seconds


def _question(order: Order) -> str:
    from reconciler.reports.words import count, listed

    what = " ".join(order.params["argv"]) if "argv" in order.params else f"job {order.job.metadata.name}"
    return f"Run {what} on {count(len(order.hosts), 'host')} ({listed(order.hosts)})?"


def _submitted(order: Order, manifests: Manifests, tree: Tree, session: Session) -> Sequence[Work]:
    submitter = session.submitter(manifests.fleet.metadata.name)
    works = submitter.submit(order, manifests, lambda origin, path: session.loader.locate(tree, origin, path))
    details = {"job": order.job.metadata.name, "run": order.id, "who": order.by, "reason": order.reason}
    for host in order.hosts:
        session.store.journal.append("run", host=host, **details)
    return works
