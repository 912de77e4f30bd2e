"""Print what is known of the hosts' machines.

`reconcile hosts facts -o json > facts.json` is what `--facts` of a pull-request check takes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, add_scope, scope_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hosts facts`."""
    add_scope(parser)
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read and print."""
    from reconciler.cli.sessions import survey_of, surveyed_in_force

    with survey_of(arguments, console, surveyed_in_force) as (_, survey):
        scope = scope_of(arguments, survey.manifests)
    facts = {name: host.facts for name, host in sorted(survey.observed.items()) if host.facts and scope.host(name)}
    console.print(_printed(facts, console))
    return Exit.DONE


def _printed(facts: Mapping[str, object], console: Console) -> str:
    document = {"format": 1, "hosts": facts}
    if console.output == "json":
        return json.dumps(document, indent=2, sort_keys=True)
    return "\n".join(f"{host}: {json.dumps(found, sort_keys=True)}" for host, found in facts.items()) or "No facts yet."
