"""Print an app's resources as they would be on a host; secrets stand as references.

With RESOURCE only that one's text: `reconcile render web-1 webapp site > site.conf`.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, known
from reconciler.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from reconciler.rendering import RenderedResource


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `render`."""
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("app", metavar="APP")
    parser.add_argument("resource", metavar="RESOURCE", nargs="?", help="a resource's name or id; default: all")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Compose, render without secrets, print."""
    from reconciler.cli.sessions import survey_of, surveyed_as_followed
    from reconciler.reports.rendered import rendered_file, rendered_json, rendered_text

    with survey_of(arguments, console, surveyed_as_followed) as (session, survey):
        host = known(arguments.host, survey.manifests.hosts, "host")
        app = known(arguments.app, survey.manifests.apps, "app")
        desired = survey.desired
        if app not in desired.hosts[host]:
            raise InvalidInput.of(
                "not-placed", f"{app} is not placed on {host}", hint=f"Look: reconcile explain {host} {app}"
            )
        resources = session.planning.view(desired, host).rendered(app).resources
    chosen = _chosen(resources, arguments.resource)
    if console.output == "json":
        console.print(rendered_json(chosen))
    elif arguments.resource and "content" in chosen[0].fields:
        console.write(rendered_file(chosen[0], terminal=sys.stdout.isatty()))
    else:
        console.print(rendered_text(chosen, color=console.color))
    return Exit.DONE


def _chosen(resources: tuple[RenderedResource, ...], name: str | None) -> list[RenderedResource]:
    if name is None:
        return list(resources)
    chosen = [resource for resource in resources if name in {resource.name, resource.id}]
    if not chosen:
        hint = did_you_mean(name, [resource.name for resource in resources])
        raise InvalidInput.of("unknown-resource", f"there is no resource {name}", hint=hint)
    return chosen
