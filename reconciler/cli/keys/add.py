"""Let hosts trust one more key, such as an operator's who may start runs."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.errors import InvalidInput


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `keys add`."""
    parser.add_argument("public", metavar="PUBLIC", help="the public half, 64 hexadecimal digits: reconcile keys make")
    parser.add_argument("--may", choices=["run", "converge"], action="append", help="what it may sign (default: run)")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Sign a list with it."""
    from reconciler.cli.keys.changing import in_control, put_in_force
    from reconciler.trust import Permission, TrustedKey

    key = TrustedKey(_public(arguments.public), frozenset(map(Permission, arguments.may or ["run"])))
    with in_control(arguments, console) as (session, _):
        put_in_force(session, console, session.key_lists.current.with_key(key), f"Key {key.id} is trusted")
    return Exit.DONE


def _public(text: str) -> bytes:
    try:
        public = bytes.fromhex(text)
    except ValueError:
        public = b""
    if len(public) != 32:
        hint = "Take what this prints: reconcile keys make FILE"
        raise InvalidInput.of("malformed-keys", "a public key has 64 hexadecimal digits", hint=hint)
    return public
