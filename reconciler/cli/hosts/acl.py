"""Print the command that makes the Redis user of each agent, for the version of the server; or send it.

A user reaches the keys of its own host only. Put a password for PASSWORD, or name a file that holds it; then `--apply`
makes the user, if our own may do that.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import all_known
from reconciler.errors import InvalidInput, Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts acl`."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="default: every host with an agent")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="holds the password of the host's user")
    parser.add_argument("--apply", action="store_true", help="make the user of one host, instead of printing")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Print, or send.

    Raises:
        InvalidInput: a host that does not exist, a password that cannot be read, a user of ours that may not do that.
        Refused: `--apply` without one host and its password.
    """
    from reconciler.cli.sessions import Access, followed, session_of

    with session_of(arguments, console, Access.WRITE if arguments.apply else Access.READ) as session:
        manifests = session.manifests(followed(session, console))
        session.reach.show(manifests)
        asked = all_known(arguments.hosts, manifests.hosts, "host")
        hosts = asked or sorted(session.reach.agents)
        password = _password(arguments.password_file)
        if not arguments.apply:
            for host in hosts:
                console.print(" ".join(session.store.users.command(host, password or ">PASSWORD")))
            return Exit.DONE
        if len(hosts) != 1 or not password:
            raise Refused.of("wrong-usage", "--apply sets one user", hint="Name one host, and --password-file FILE")
        kept = session.store.users.set(hosts[0], password)
        session.store.journal.append("redis-user-set", host=hosts[0], who=session.who)
        console.tell(f"Set the Redis user of {hosts[0]}.{f' {kept}.' if kept else ''}")
    return Exit.DONE


def _password(file: Path | None) -> str:
    """Its hash as a rule, so that the password stands in no output; empty without a file."""
    if file is None:
        return ""
    try:
        return f"#{hashlib.sha256(file.read_text().strip().encode()).hexdigest()}"
    except (OSError, ValueError) as error:
        raise InvalidInput.of("redis-denied", f"the password in {file} cannot be read: {error}") from None
