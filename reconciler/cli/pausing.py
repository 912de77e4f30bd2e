"""What `pause` and `resume` share."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import scope_of
from reconciler.errors import Refused


def set_paused(arguments: argparse.Namespace, console: Console, reason: str) -> Exit:
    """Record the reason (empty: none any more) for what the flags pick, in Redis and on hosts within reach.

    Raises:
        Refused: no flag says which hosts; pausing all of them is `-l '*'`.
    """
    from reconciler.cli.sessions import Access, in_force, session_of
    from reconciler.loops.hosts.pausing import pause

    if not (arguments.host or arguments.selector or arguments.app):
        raise Refused.of("no-scope", "say which hosts or apps", hint="--host, --app, or -l '*' for all")
    with session_of(arguments, console, Access.WRITE) as session:
        manifests = session.manifests(in_force(session, console))
        session.reach.show(manifests)
        scope = scope_of(arguments, manifests)
        hosts = [host for host in manifests.hosts if scope.host(host)]
        apps = sorted(scope.apps) if scope.apps else ["*"]
        untold = session.crew.each(lambda host: pause(session.store, session.reach, host, apps, reason), hosts)
        kind = "paused" if reason else "resumed"
        for host in hosts:
            for app in apps:
                named = "" if app == "*" else app
                session.store.journal.append(kind, host=host, app=named, who=session.who, reason=reason)
    word = "Paused" if reason else "Resumed"
    for why in filter(None, untold):
        console.tell(why)
        console.tell("Redis knows it; the host learns it when it is worked on the next time.")
    console.tell(f"{word} {'' if apps == ['*'] else ', '.join(apps) + ' on '}{', '.join(hosts)}.")
    return Exit.DONE
