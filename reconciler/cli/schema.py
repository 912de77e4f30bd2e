"""Write a JSON Schema for every kind, which the example manifests name so that editors complete and check.

They go to `manifests/.schema/KIND.json`; a KIND prints that one instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import settings_of
from reconciler.errors import InvalidInput, did_you_mean
from reconciler.source.writing import write_file

FOLDER = "manifests/.schema"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `schema`."""
    parser.add_argument("kind", metavar="KIND", nargs="?", help="print the schema of this kind")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Write all schemas, or print one."""
    from reconciler.manifests import json_schemas

    schemas = {kind.lower(): schema for kind, schema in json_schemas().items()}
    if arguments.kind:
        kind = arguments.kind.lower()
        if kind not in schemas:
            raise InvalidInput.of(
                "unknown-kind", f"there is no kind {arguments.kind}", hint=did_you_mean(kind, schemas)
            )
        console.print(json.dumps(schemas[kind], indent=2))
        return Exit.DONE
    folder = write_schemas(settings_of(arguments).repository)
    console.tell(f"Wrote {len(schemas)} schemas to {folder}; commit them, so that everyone's editor completes.")
    return Exit.DONE


def write_schemas(repository: Path) -> Path:
    """Write the schemas of all kinds where the manifests of a repository name them; returns the folder.

    Raises:
        InvalidInput: `not-writable`.
    """
    from reconciler.manifests import json_schemas

    for kind, schema in json_schemas().items():
        write_file(repository, f"{FOLDER}/{kind.lower()}.json", json.dumps(schema, indent=2) + "\n")
    return repository / FOLDER
