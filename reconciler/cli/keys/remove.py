"""Let hosts trust a key no more."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import known
from reconciler.errors import Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `keys remove`."""
    parser.add_argument("key", metavar="KEY", help="its id, as `reconcile keys list` shows it")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Sign a list without it.

    Raises:
        Refused: it is the controller's own.
    """
    from reconciler.cli.keys.changing import in_control, put_in_force

    with in_control(arguments, console) as (session, _):
        keys = session.key_lists.current
        key = known(arguments.key, keys.keys, "key")
        if session.signer and key == session.signer.key_id:
            hint = "Replace it: reconcile keys rotate"
            raise Refused.of("own-key", "nothing could be signed any more without the controller's own key", hint=hint)
        put_in_force(session, console, keys.without(key), f"Key {key} is trusted no more")
    return Exit.DONE
