"""Tell nobody of some alerts for a time. What was told as firing is still told as resolved.

reconcile silence add host=web-1 --for 2h --reason "disk swap"
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_reason
from reconciler.errors import NOWHERE, InvalidInput, Problem

if TYPE_CHECKING:
    from reconciler.alerting.vocabulary import Unknown


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `silence add`."""
    parser.add_argument("match", metavar="SELECTOR", help="which alerts, by their labels: alert=CpuBusy,host=web-1")
    parser.add_argument("--for", dest="duration", required=True, metavar="DURATION", help="how long: 2h, 30m")
    add_reason(parser, required=True)


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Set it; the monitor takes it into account at its next turn."""
    from reconciler.alerting.muting import selects
    from reconciler.cli.selecting import refuse, selector_of, strange_words
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.clock import ulid
    from reconciler.loops.monitoring.alert_board import board
    from reconciler.manifests.fields import duration_seconds
    from reconciler.model.metadata import Metadata, Origin
    from reconciler.model.monitoring import Silence
    from reconciler.model.times import Window

    match = selector_of(arguments.match)
    seconds = duration_seconds(arguments.duration)
    if not seconds:
        raise InvalidInput.of("invalid-duration", f"--for {arguments.duration}: no duration", hint="Such as 2h, 30m")
    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(in_force(session, console))
        sights = board(session.store, manifests)
        unknown = strange_words(match, manifests, (sight.alert for sight in sights))
        refuse(it for it in unknown if it.mistaken)
        now = session.clock.now()
        until = now + timedelta(seconds=seconds)
        name = f"by-hand-{ulid(now)[-6:].lower()}"
        silence = Silence(Metadata(name, Origin("", 0)), match, Window(now, until), arguments.reason, session.who)
        session.store.alerts.silence(silence)
        session.store.journal.append(
            "silenced", silence=name, match=arguments.match, who=session.who, reason=arguments.reason
        )
    now_quiet = sum(sight.alert.state.told and selects(match, sight.alert) for sight in sights)
    console.print(f"{name}: quiet until {until:%Y-%m-%d %H:%M}Z; {now_quiet} of the alerts that fire now.")
    console.warn(_ahead(it, name) for it in unknown)
    return Exit.DONE


def _ahead(unknown: Unknown, name: str) -> Problem:
    """What may come yet, and how to take it back where it was a slip."""
    from reconciler.errors import did_you_mean

    what = f"has the label {unknown.word}" if unknown.label else f"has {unknown.requirement.key}={unknown.word}"
    meant = did_you_mean(unknown.word, unknown.known)
    hint = f"{meant} Take it back: reconcile silence expire {name}".lstrip()
    return Problem(NOWHERE, f"nothing {what} now; should it come, it will be quiet", hint, "silence-ahead")
