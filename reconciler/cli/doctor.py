"""Check that everything Reconciler needs is there, and say how to put right what is not."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, settings_of
from reconciler.errors import InvalidInput, ReconcilerError, Refused

if TYPE_CHECKING:
    from reconciler.model.manifests import Manifests
    from reconciler.reports.doctor import Check
    from reconciler.settings import Settings
    from reconciler.wiring.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `doctor`."""
    add_output(parser, "json")
    parser.add_argument("--send", metavar="CHANNEL", help="send a message to this channel that says it is a test")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Run every check; one that fails keeps none of the others from running."""
    from reconciler.reports.doctor import Outcome, doctor_json, doctor_text

    checks = list(_checks(settings_of(arguments), arguments.send))
    console.print(doctor_json(checks) if console.output == "json" else doctor_text(checks, color=console.color))
    return Exit.CANNOT if any(check.outcome is Outcome.FAIL for check in checks) else Exit.DONE


def _checks(settings: Settings, send: str | None) -> Iterator[Check]:
    from reconciler.reports.doctor import Check, Outcome

    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", Outcome.OK, version)
    git = shutil.which("git")
    yield Check("git", Outcome.OK, git) if git else Check("git", Outcome.FAIL, "not found", "Run: apt-get install git")
    for problem in settings.warnings:
        yield Check("settings", Outcome.WARN, problem.message, problem.hint)
    manifests = list(_tried("manifests", lambda: _manifests(settings)))
    yield from manifests
    yield from _tried("signing key", lambda: _key(settings))
    yield from _tried("redis", lambda: _redis(settings))
    if any(check.outcome is Outcome.FAIL for check in manifests):
        yield Check("secrets", Outcome.WARN, "not looked for as long as the manifests have mistakes")
    else:
        yield from _tried("secrets", lambda: _secrets(settings))
    yield from _channels(settings, send)


def _tried(name: str, check: Callable[[], str]) -> Iterator[Check]:
    from reconciler.reports.doctor import Check, Outcome

    try:
        yield Check(name, Outcome.OK, check())
    except ReconcilerError as error:
        for problem in error.problems:
            where = f"{problem.place}: " if str(problem.place) else ""
            yield Check(name, Outcome.FAIL, f"{where}{problem.message}", problem.hint)


def _manifests(settings: Settings) -> str:
    from reconciler.reports.words import count
    from reconciler.wiring.session import Access, open_session

    with open_session(settings, Access.NONE) as session:
        manifests = session.planning.survey(session.tree()).manifests
    counted = f"{count(len(manifests.hosts), 'host')}, {count(len(manifests.apps), 'app')}"
    return f"fleet {manifests.fleet.metadata.name}: {counted}"


def _key(settings: Settings) -> str:
    from reconciler.source.key_lists import load_key_lists
    from reconciler.source.keys import load_key
    from reconciler.source.state import check_state_dir
    from reconciler.trust import Signer

    check_state_dir(settings.state_dir)
    seed = load_key(settings.state_dir)
    if not seed:
        _check_not_lost(settings)
        return "none yet; the first apply makes one"
    signer = Signer(seed)
    keys = load_key_lists(settings.state_dir, signer.public).current
    if signer.key_id not in keys.keys:
        message = f"key {signer.key_id} is not among those that hosts trust"
        hint = "Restore keys/ in the state directory whole; was a rotation cut off: reconcile keys rotate"
        raise InvalidInput.of("unknown-key", message, hint=hint)
    return f"key {signer.key_id}, in version {keys.version} of the trusted keys"


def _check_not_lost(settings: Settings) -> None:
    from reconciler.loops.controlling.signing_key import missed_key
    from reconciler.wiring.session import Access, open_session

    try:
        with open_session(settings, Access.READ) as session:
            lost = missed_key(settings.state_dir, session.store)
    except ReconcilerError:
        return  # told by the check of Redis
    if lost:
        raise Refused([lost])


def _redis(settings: Settings) -> str:
    from reconciler.wiring.session import Access, open_session

    with open_session(settings, Access.READ) as session:
        session.store.check(writing=True)
        holder = session.store.leases.current("control")
        where = "by URL" if settings.redis_url else "embedded"
        return f"{where}, well" + (f"; {holder.holder} holds control" if holder else "")


def _secrets(settings: Settings) -> str:
    from reconciler.wiring.session import Access, open_session

    with open_session(settings, Access.NONE) as session:
        survey = session.planning.survey(session.tree())
        apps = [app for of_host in survey.desired.hosts.values() for app in of_host.values()]
        paths = sorted({path for app in apps for path in app.secrets})
        session.secrets.resolve(paths, session.planning.referring(survey))
        return f"{len(paths)} found" if paths else "none are used"


def _channels(settings: Settings, send: str | None) -> Iterator[Check]:
    """One check for all channels that are well, one for each URL that is not."""
    from reconciler.reports.doctor import Check, Outcome
    from reconciler.wiring.session import Access, open_session

    try:
        with open_session(settings, Access.READ) as session:
            manifests = session.manifests(session.tree())
            if manifests.channels:
                yield from _of_channels(session, manifests, send)
            elif send:
                yield Check("channels", Outcome.FAIL, "the fleet has no channel")
    except ReconcilerError:
        return  # told by the checks of manifests and of Redis


def _of_channels(session: Session, manifests: Manifests, send: str | None) -> Iterator[Check]:
    from reconciler.errors import did_you_mean
    from reconciler.loops.monitoring.channel_checks import behind, send_test, usable
    from reconciler.reports.doctor import Check, Outcome
    from reconciler.reports.words import count
    from reconciler.wiring.notifying import opening

    open_url, resolve = opening(session.settings, session.masker, session.clock)
    found = list(usable(manifests.channels, open_url, resolve))
    well = [it for it in found if not it.problem]
    if well:
        services = ", ".join(sorted({it.service for it in well}))
        yield Check("channels", Outcome.OK, f"{count(len(well), 'URL')} can be used: {services}")
    for it in found:
        if it.problem:
            yield Check(f"channel {it.target}", Outcome.FAIL, it.problem, it.hint)
    for it in behind(manifests.channels, session.store.deliveries.backlogs):
        yield Check(f"channel {it.target}", Outcome.WARN, it.problem)
    if not send:
        return
    channel = manifests.channels.get(send)
    if channel is None:
        hint = did_you_mean(send, manifests.channels)
        yield Check(f"channel {send}", Outcome.FAIL, f'there is no channel "{send}"', hint)
        return
    for it in send_test(channel, manifests.fleet.metadata.name, open_url, resolve):
        outcome = Outcome.FAIL if it.problem else Outcome.OK
        yield Check(f"channel {it.target}", outcome, it.problem or f"{it.service} took the message", it.hint)
