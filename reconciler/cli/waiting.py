"""Shows runs until they have ended, and how they did; shared by `run` and `jobs retry`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.model.work import Work

if TYPE_CHECKING:
    from reconciler.wiring.session import Session


def waited(works: Sequence[Work], fleet: str, session: Session, console: Console) -> Exit:
    """Show runs until they have ended, carried out here where nobody else does it; recap."""
    import functools

    from reconciler.cli.printing import Printing
    from reconciler.loops.running.following import RunFollowing
    from reconciler.loops.running.waiting import RunWaiting

    crew = functools.cache(lambda: session.run_crew(fleet, lambda *_: None))
    following = RunFollowing(session.store, works, Printing(console, several=len(works) > 1), only_new=True)
    waiting = RunWaiting(session.store, session.clock, crew, session.reach.hosts)
    try:
        waiting.wait(following)
    except KeyboardInterrupt:
        console.tell(_interrupted(works[0].id, waiting.give_up(following)))
        return Exit.INTERRUPTED
    return recap(following.works, session, console)


def _interrupted(run_id: str, going_on: Sequence[Work]) -> str:
    from reconciler.reports.words import listed

    if not going_on:
        return f"Interrupted, and the run is cancelled. Again: reconcile jobs retry {run_id}"
    where = listed([work.host for work in going_on])
    return f"It goes on at {where}: reconcile jobs logs {run_id} -f, or reconcile jobs cancel {run_id}"


def recap(works: Sequence[Work], session: Session, console: Console) -> Exit:
    """Print how runs stand, a line for each host."""
    from reconciler.model.work import WorkState
    from reconciler.reports.runs import runs_json, runs_text

    if console.output == "json":
        console.print(runs_json([(work, session.store.work.output(work.host, work.id).text) for work in works]))
    else:
        console.print(runs_text(works, color=console.color))
    well = all(work.state is WorkState.SUCCEEDED or not work.state.finished for work in works)
    return Exit.DONE if well else Exit.FAILED
