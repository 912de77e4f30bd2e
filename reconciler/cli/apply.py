"""Bring the fleet to what the manifests say: load, plan, show, confirm, sign, converge, recap.

`reconcile` alone does this. Local hosts are executed here; where a watch holds control, it is asked to do the work.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_reason, add_scope, scope_of
from reconciler.errors import InvalidInput, Place, Problem, Refused

if TYPE_CHECKING:
    from reconciler.loops.controlling.planning import Situation
    from reconciler.loops.converging.outcome import HostOutcome
    from reconciler.reports.recap import HostRecap
    from reconciler.wiring.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `apply`."""
    add_scope(parser)
    add_output(parser, "json")
    add_reason(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="change nothing: the same as `reconcile plan`")
    parser.add_argument(
        "--immediate", action="store_true", help="with --app: all hosts at once, whatever its rollout says"
    )
    parser.add_argument(
        "--override-freeze",
        action="store_true",
        help="with --app and --reason: also what a Freeze holds; takes control from a watch for it",
    )
    parser.add_argument(
        "--override-drain",
        action="store_true",
        help="with --host and --reason: prune a retired host although others still list it; takes control, too",
    )
    parser.add_argument("--plan-id", metavar="ID", help="go on only if the plan is still this one")
    parser.add_argument("--allow-deletes", metavar="N", type=int, help="let the plan delete up to N resources")
    parser.add_argument("--allow-dirty", action="store_true", help="apply uncommitted changes to a shared Redis")
    parser.add_argument("--take-over", action="store_true", help="take control from whoever holds it")
    parser.add_argument(
        "--facts", metavar="FILE", type=Path, help="facts of hosts, from `reconcile hosts facts -o json`"
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=600.0, help="how long to wait for a watch (default: 600)"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Plan, ask, apply, recap."""
    from reconciler.cli.plan import show, situation_of
    from reconciler.cli.sessions import Access, dial, session_of
    from reconciler.loops.controlling.loading import get_ready_to_compose

    _check_usage(arguments)

    def ahead(session: Session) -> None:
        """Mistakes in manifests and flags are told before anything is made or started."""
        if arguments.yes:
            dial(session, session.first_tree, arguments)
        else:
            scope_of(arguments, session.manifests(session.first_tree, meanwhile=get_ready_to_compose))

    with session_of(arguments, console, Access.WRITE, ahead=ahead) as session:
        from reconciler.planner.guard import guard

        situation = situation_of(session, arguments)
        _refuse_dirty(session, situation, arguments)
        if console.output == "text" and not console.quiet:
            show(situation.plan, console, dry_run=False)
        _check_id(situation, arguments.plan_id)
        guard(situation.plan, situation.manifests.fleet.guard, arguments.allow_deletes)
        if not situation.plan.empty and not console.agreed("Apply this plan?", yes=arguments.yes):
            return Exit.CANNOT
        return _carry_out(session, situation, arguments, console)


def _check_usage(arguments: argparse.Namespace) -> None:
    if arguments.immediate and not arguments.app:
        raise InvalidInput.of("wrong-usage", "--immediate needs --app", hint="Say which app goes ahead")
    if arguments.override_freeze and not (arguments.app and arguments.reason):
        hint = "reconcile apply --app NAME --override-freeze --reason TEXT"
        raise InvalidInput.of("wrong-usage", "--override-freeze needs --app and --reason", hint=hint)

    if arguments.override_drain and not (arguments.host and arguments.reason):
        hint = "reconcile apply --host NAME --override-drain --reason TEXT"
        raise InvalidInput.of("wrong-usage", "--override-drain needs --host and --reason", hint=hint)


def _refuse_dirty(session: Session, situation: Situation, arguments: argparse.Namespace) -> None:
    if session.settings.redis_url and situation.tree.revision.dirty and not arguments.allow_dirty:
        raise Refused.of(
            "dirty-tree",
            "the working tree has changes that are in no commit, and this Redis is shared",
            hint="Commit them, or --allow-dirty",
        )


def _check_id(situation: Situation, plan_id: str | None) -> None:
    if plan_id and plan_id != situation.plan.id:
        raise Refused.of(
            "plan-changed",
            f"the plan is now {situation.plan.id}, not {plan_id} that was reviewed",
            hint="Review it again: reconcile --dry-run",
        )


def _carry_out(session: Session, situation: Situation, arguments: argparse.Namespace, console: Console) -> Exit:
    from reconciler.cli.progress import progress_of
    from reconciler.loops.controlling.one_shot import actionable
    from reconciler.loops.controlling.recorded import recorded
    from reconciler.loops.converging.surprises import surprises
    from reconciler.model.work import Lease

    got = session.asking(console.tell).control_or_answer(
        situation,
        take_over=arguments.take_over or arguments.override_freeze or arguments.override_drain,
        reason=arguments.reason,
        timeout_seconds=arguments.timeout,
    )
    if not isinstance(got, Lease):
        console.tell(got.text)
        recap(recorded(session.store, situation, actionable(situation)), console)
        return Exit(got.exit_code)
    if situation.due:
        details = {"revision": situation.desired.revision, "who": session.who, "reason": arguments.reason}
        session.store.journal.append(_kind(arguments), plan=situation.plan.id, **details)
    with session.controlled(got), progress_of(situation, session, console) as listener:
        outcomes = session.one_shot(situation, listener, console.tell).carry_out(situation, got.term)
    if situation.due or console.output == "json":
        recap(outcomes, console)
    console.warn(surprises(situation.plan, outcomes))
    return Exit.DONE if all(outcome.well for outcome in outcomes) else Exit.FAILED


def _kind(arguments: argparse.Namespace) -> str:
    """What the history calls it."""
    if arguments.override_freeze:
        return "freeze-overridden"
    return "drain-overridden" if arguments.override_drain else "apply"


def recap(outcomes: Sequence[HostOutcome], console: Console) -> None:
    """Print a line for every host that was worked on."""
    from reconciler.reports.recap import recap_json, recap_text

    lines = [_recap(outcome) for outcome in outcomes]
    if console.output == "json":
        console.print(recap_json(lines))
    elif lines:
        console.print(recap_text(lines, color=console.color))


def _recap(outcome: HostOutcome) -> HostRecap:
    from reconciler.reports.recap import AppRecap, HostRecap

    return HostRecap(
        host=outcome.host,
        ok=sum(app.ok for app in outcome.apps),
        changed=sum(app.changed for app in outcome.apps),
        failed=sum(app.failed for app in outcome.apps),
        unknown=sum(app.unknown for app in outcome.apps),
        seconds=outcome.seconds,
        note=", ".join(f"{app.app} rolled back" for app in outcome.apps if app.rolled_back),
        unreachable=outcome.unreachable,
        problems=(*_busy(outcome), *(problem for app in outcome.apps for problem in app.problems)),
        apps=tuple(AppRecap(app.app, app.status.value, app.changes) for app in outcome.apps),
    )


def _busy(outcome: HostOutcome) -> tuple[Problem, ...]:
    hint = "Try again, or look: reconcile jobs"
    return (Problem(Place(host=outcome.host), outcome.busy, hint, "host-busy"),) if outcome.busy else ()
