"""Makes the reference pages that the code can write by itself. `make docs` writes them; a test says when to."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.docs.manifests_page import manifests_page
from tests.docs.markdown import ROOT

NOTE = "<!-- Made by `make docs`; do not edit. -->"


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        path.write_text(page())


def settings_page() -> str:
    """Environment variables, from the table that reads them."""
    from reconciler.settings import SETTINGS

    rows = [f"| `{it.variable}` | {it.meaning} | {it.default} |" for it in SETTINGS]
    lines = [
        "# Settings",
        NOTE,
        "Settings of one process: environment variables. An empty one counts as not set.",
        "\n".join(["| variable | meaning | default |", "| --- | --- | --- |", *rows]),
    ]
    return "\n\n".join(lines) + "\n"


def commands_page() -> str:
    """Commands and their flags, from the parser."""
    from reconciler.cli import build_parser

    parser = build_parser()
    parts = ["# Commands", NOTE, *_command("reconcile", parser, set())]
    return "\n\n".join(parts) + "\n"


def _command(name: str, parser: argparse.ArgumentParser, known: set[str]) -> Iterator[str]:
    yield f"## `{name}`" if known else f"`{name}`"
    if parser.description:
        yield parser.description
    actions = [it for it in parser._actions if it.help != argparse.SUPPRESS]
    arguments = [it for it in actions if not isinstance(it, argparse._SubParsersAction | argparse._HelpAction)]
    fresh = [it for it in arguments if not known or not it.option_strings or _flags(it) not in known]
    if known:
        words = [it.metavar or it.dest.upper() for it in arguments if not it.option_strings]
        yield (
            "```\n"
            + " ".join([name, *map(str, words), *(["[FLAGS]"] if len(words) < len(arguments) else [])])
            + "\n```"
        )
    if fresh:
        yield "\n".join(
            ["| argument | meaning |", "| --- | --- |", *(f"| {_flags(it)} | {_cell(it.help or '')} |" for it in fresh)]
        )
    everywhere = known or {_flags(it) for it in arguments} | {""}
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, subparser in action.choices.items():
                yield from _command(f"{name} {word}", subparser, everywhere)


def _flags(action: argparse.Action) -> str:
    value = (
        "" if action.nargs == 0 else f" {action.metavar or '|'.join(map(str, action.choices or [action.dest.upper()]))}"
    )
    if not action.option_strings:
        return f"`{value.strip()}`"
    return "`" + _cell(", ".join(action.option_strings) + value) + "`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs/reference/settings.md": settings_page,
    ROOT / "docs/reference/commands.md": commands_page,
    ROOT / "docs/reference/manifests.md": lambda: "\n\n".join(["# Manifests", NOTE, *manifests_page()]) + "\n",
}

if __name__ == "__main__":
    main()
