"""Replace the controller's key by a new one, which the old one introduces to the hosts.

Agents that are away meanwhile follow when they are back. The fingerprints of secrets are made with the key, so the next
apply goes once over every app that reads secrets.
"""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit


def arguments(parser: argparse.ArgumentParser) -> None:
    """`keys rotate` takes none of its own."""


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Make a key, sign it into the list, then use it. Cut off in between, the next call goes on from there."""
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
