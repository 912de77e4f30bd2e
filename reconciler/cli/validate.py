"""Check manifests, templates and values; ask no server and change nothing.

Everything that is wrong is told at once, each problem with its file, line and column.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, facts_of, settings_of

if TYPE_CHECKING:
    from reconciler.errors import Place
    from reconciler.model.metadata import Origin, Path
    from reconciler.model.tree import Tree
    from reconciler.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `validate`."""
    add_output(parser, "json", "github")
    parser.add_argument(
        "--facts", metavar="FILE", type=File, help="facts of hosts, from `reconcile hosts facts -o json`"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Load and compose; the problems are the output."""
    from reconciler.loops.controlling.loading import load
    from reconciler.manifests import Loader
    from reconciler.manifests.notes import notes
    from reconciler.planner.compose import Composer
    from reconciler.reports.words import count

    settings = settings_of(arguments)
    with _tree(settings) as tree:
        loader = Loader(settings.cache_dir)
        manifests = load(loader, tree)
        facts = facts_of(arguments) or {}

        def locate(origin: Origin, path: Path) -> Place:
            return loader.locate(tree, origin, path)

        Composer().compose(manifests, str(tree.revision), facts, locate)
        console.warn(notes(manifests, locate))
    if console.output == "text" and not console.quiet:
        kinds = {"host": manifests.hosts, "app": manifests.apps, "job": manifests.jobs}
        console.print(f"Valid: {', '.join(count(len(found), kind) for kind, found in kinds.items())}.")
    elif console.output == "json":
        console.problems(())
    return Exit.DONE


@contextmanager
def _tree(settings: Settings) -> Iterator[Tree]:
    """The files, or what a watch fetched; without a session, whose imports take longer than the work."""
    if settings.followed:
        from reconciler.source.mirror import LastFetched

        with LastFetched(settings.followed) as fetched:
            yield fetched.tree(fetched.newest)
    else:
        from reconciler.source.working_tree import WorkingTree

        yield WorkingTree(settings.repository).tree()
