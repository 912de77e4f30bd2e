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
    from reconciler.loops.run_following import RunFollowing
    from reconciler.loops.run_waiting import RunWaiting

    crew = functools.cache(lambda: session.run_crew(fleet, lambda *_: None))
    following = RunFollowing(session.store, works, Printing(console, several=len(works) > 1))
    waiting = RunWaiting(session.store, session.clock, crew, session.reach.hosts)
    try:
        waiting.wait(following)
    except KeyboardInterrupt:
        if not waiting.give_up(following):
            run_id = works[0].id
            console.tell(f"It goes on: reconcile jobs logs {run_id} -f, or reconcile jobs cancel {run_id}")
        raise
    return recap(following.works, session, console)


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
