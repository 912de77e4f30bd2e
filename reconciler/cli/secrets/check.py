"""Say of each secret whether it is found, where it was looked for, and which apps on which hosts read it."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of
from reconciler.errors import ReconcilerError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `secrets check`."""
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Look for each; exit code 1 if one is missing."""
    from reconciler.cli.sessions import survey_of, surveyed_as_followed
    from reconciler.reports.secrets import SecretRow, secrets_json, secrets_text

    readers: dict[str, list[tuple[str, str]]] = {}
    with survey_of(arguments, console, surveyed_as_followed) as (session, survey):
        scope = scope_of(arguments, survey.manifests)
        for host, apps in survey.desired.hosts.items():
            for app, wanted in apps.items():
                for path in wanted.secrets if scope.host(host) and scope.app(app) else ():
                    readers.setdefault(path, []).append((host, app))
        rows = []
        for path, pairs in sorted(readers.items()):
            try:
                session.secrets.resolve([path])
                problem = ""
            except ReconcilerError as error:
                problem = "; ".join(f"{it.message}. {it.hint}".rstrip(" .") for it in error.problems)
            hosts, names = (tuple(sorted({pair[at] for pair in pairs})) for at in (0, 1))
            rows.append(SecretRow(path, not problem, problem, names, hosts))
    console.print(secrets_json(rows) if console.output == "json" else secrets_text(rows, color=console.color))
    return Exit.DONE if all(row.found for row in rows) else Exit.CANNOT
