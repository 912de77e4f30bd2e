"""Replace the controller's key by a new one, which the old one introduces to the hosts.

Agents that are away meanwhile follow when they are back. The fingerprints of secrets are made with the key, so the next
apply goes once over every app that reads secrets.

With --lost nobody introduces the new key: agents obey the old one until they are brought the new one, by
`reconcile hosts enroll HOST`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `keys rotate`."""
    parser.add_argument("--lost", action="store_true", help="the old key is lost for good: make one without it")
    parser.add_argument("-y", "--yes", action="store_true", help="with --lost: do not ask")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Make a key, sign it into the list, then use it. Cut off in between, the next call goes on from there."""
    return _made_anew(arguments, console) if arguments.lost else _rotated(arguments, console)


def _rotated(arguments: argparse.Namespace, console: Console) -> Exit:
    from reconciler.cli.keys.changing import in_control, put_in_force
    from reconciler.source.keys import next_key, take_next_key
    from reconciler.trust import Permission, Signer, TrustedKey

    with in_control(arguments, console) as (session, _):
        state = session.settings.state_dir
        new, keys = Signer(next_key(state)), session.key_lists.current
        if new.key_id not in keys.keys:
            own = session.signer.key_id if session.signer else ""
            after = keys.with_key(TrustedKey(new.public, frozenset(Permission)), instead_of=own)
            put_in_force(session, console, after, f"Key {new.key_id} signs instead of {own}")
        take_next_key(state)
    console.tell("The next apply signs with it.")
    return Exit.DONE


def _made_anew(arguments: argparse.Namespace, console: Console) -> Exit:
    from reconciler.cli.sessions import Access, followed, session_of
    from reconciler.loops.controlling.signing_key import check_lost, make_anew
    from reconciler.reports.words import listed
    from reconciler.trust import Signer

    with session_of(arguments, console, Access.READ) as session:
        session.reach.show(session.manifests(followed(session, console)))
        agents = sorted(session.reach.agents)
        check_lost(session.settings.state_dir, session.store)
        if not console.agreed(_question(agents), yes=arguments.yes):
            return Exit.CANNOT
        key = Signer(make_anew(session.settings.state_dir, session.store)).key_id
    console.tell(f"Key {key} is made; operators' keys have to be added again. The next apply signs with it.")
    if agents:
        console.tell(f"Agents obey the old key until they are told: reconcile hosts enroll HOST, for {listed(agents)}")
    return Exit.DONE


def _question(agents: Sequence[str]) -> str:
    from reconciler.reports.words import listed

    cost = f"; {listed(agents)} will refuse it until enrolled anew" if agents else ""
    return f"Make a key that nobody introduces to the hosts, and forget the operators' keys{cost}?"
