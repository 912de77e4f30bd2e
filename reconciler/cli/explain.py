"""Show where an app's values on a host come from, what it depends on, and why it is due."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, known
from reconciler.errors import Place
from reconciler.model.metadata import Origin, Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `explain`."""
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("app", metavar="APP")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Compose, explain, print."""
    from reconciler.cli.sessions import survey_of, surveyed_as_followed
    from reconciler.reports.explain import explain_json, explain_text

    with survey_of(arguments, console, surveyed_as_followed) as (session, survey):
        host = known(arguments.host, survey.manifests.hosts, "host")
        app = known(arguments.app, survey.manifests.apps, "app")
        explanation = session.planning.explained(survey, host, app)

        def locate(origin: Origin, path: Path) -> Place:
            return session.loader.locate(survey.tree, origin, path)

        if console.output == "json":
            text = explain_json(explanation, locate=locate)
        else:
            text = explain_text(explanation, color=console.color, locate=locate)
    console.print(text)
    return Exit.DONE
