"""Check manifests, templates and values; ask no server and change nothing.

Everything that is wrong is told at once, each problem with its file, line and column.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output, facts_of, settings_of

if TYPE_CHECKING:
    from reconciler.manifests import Loader
    from reconciler.model.tree import Tree
    from reconciler.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `validate`."""
    add_output(parser, "json", "github")
    parser.add_argument(
        "--facts", metavar="FILE", type=Path, help="facts of hosts, from `reconcile hosts facts -o json`"
    )


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Load and compose, unless the very same files were found sound before; the problems are the output."""
    from reconciler.loops.controlling.verdicts import Verdicts
    from reconciler.reports.words import count

    settings = settings_of(arguments)
    facts = facts_of(arguments) or {}
    with ExitStack() as closing:
        verdicts = Verdicts(settings.cache_dir)
        loader = None if verdicts.any else _loader(settings, closing)
        tree = closing.enter_context(_tree(settings))
        verdict = verdicts.of(tree, facts)
        if verdict is None:
            from reconciler.loops.controlling.loading import judged

            verdict = judged(loader or _loader(settings, closing), tree, facts)
            verdicts.keep(tree, facts, verdict)
    console.warn(verdict.notes)
    if console.output == "text" and not console.quiet:
        console.print(f"Valid: {', '.join(count(number, kind) for kind, number in verdict.sizes.items())}.")
    elif console.output == "json":
        console.problems(())
    return Exit.DONE


def _loader(settings: Settings, closing: ExitStack) -> Loader:
    """What reads manifests; where none are cached, another process begins to load what parses them."""
    from reconciler.ahead import begun
    from reconciler.manifests import Loader

    loader = Loader(settings.cache_dir, begun())
    closing.callback(loader.close)
    loader.get_ready()
    return loader


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
