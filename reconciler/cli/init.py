"""Write a small fleet to start from: one sandboxed host on this machine, one app, one template.

Refused where there is a manifests/ folder; any other file that is there already is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import settings_of
from reconciler.errors import Refused
from reconciler.source.writing import write_file

_IGNORED = "/.reconciler/\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    """`init` takes the directory by -C alone."""


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Write the starter's files, the signing key and a line for git to ignore the state directory."""
    from reconciler.cli.schema import write_schemas
    from reconciler.manifests import STARTER
    from reconciler.source.keys import load_or_create_key
    from reconciler.source.state import check_state_dir

    directory: Path = arguments.directory
    if (directory / "manifests").exists():
        raise Refused.of("already-there", f"{directory / 'manifests'} exists already", hint="Look: reconcile --dry-run")
    for name, text in STARTER.items():
        path = directory / name
        if path.exists():
            console.tell(f"kept {path}")
            continue
        write_file(directory, name, text)
        console.tell(f"wrote {path}")
    write_schemas(directory)
    _ignore_state(directory)
    settings = settings_of(arguments)
    check_state_dir(settings.state_dir)
    load_or_create_key(settings.state_dir)
    console.tell(f"wrote the signing key below {settings.state_dir}; keep it safe, it is in no commit")
    console.print("Next: reconcile --dry-run, then reconcile")
    return Exit.DONE


def _ignore_state(directory: Path) -> None:
    path = directory / ".gitignore"
    before = path.read_text() if path.exists() else ""
    if _IGNORED.strip() not in before.split():
        write_file(directory, ".gitignore", before + ("" if before.endswith("\n") or not before else "\n") + _IGNORED)
