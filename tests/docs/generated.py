"""Makes the reference pages that the code can write by itself. `make docs` writes them; a test says when to."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    from reconciler.cli.command_line import build_parser

    parser = build_parser()
    commands = list(_commands(parser))
    everywhere = next(group for group in commands[0][1]._action_groups if group.title == EVERYWHERE)
    shared = {_flags(action) for action in everywhere._group_actions}
    parts = ["# Commands", NOTE, parser.description or "", *(parser.epilog or "").split("\n\n")]
    parts += ["Flags of every command:", _arguments(everywhere._group_actions)]
    for name, command in commands:
        parts += _command(name, command, shared)
    return "\n\n".join(parts) + "\n"


EVERYWHERE = "everywhere"
"""Title of the group of flags that every command has."""


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """All commands that do something, with their parsers, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, subparser in action.choices.items():
                inner = [(f"{word} {name}", it) for name, it in _commands(subparser)]
                yield from inner or [(word, subparser)]


def _command(name: str, parser: argparse.ArgumentParser, shared: set[str]) -> Iterator[str]:
    own = [it for it in parser._actions if _flags(it) not in shared and not isinstance(it, argparse._HelpAction)]
    words = [_value(it) for it in own if not it.option_strings]
    yield f"## {name}"
    yield parser.description or ""
    yield "```\n" + " ".join(["reconcile", name, *words, *(["[FLAGS]"] if len(words) < len(own) else [])]) + "\n```"
    if own:
        yield _arguments(own)


def _arguments(actions: Sequence[argparse.Action]) -> str:
    rows = (f"| `{_cell(_flags(it))}` | {_cell(it.help or '')} |" for it in actions if it.help != argparse.SUPPRESS)
    return "\n".join(["| argument | meaning |", "| --- | --- |", *rows])


def _flags(action: argparse.Action) -> str:
    return " ".join([", ".join(action.option_strings), _value(action)]).strip()


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    name = action.metavar or "|".join(map(str, action.choices or [action.dest.upper()]))
    return f"[{name}]" if action.nargs == "?" else f"{name} ..." if action.nargs in ("*", "+") else str(name)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


KEYS_TEXT = """\
Everything that Reconciler keeps in Redis, with the prefix `rc:`. It is a cache of intent and observation: reading it by
hand is welcome, writing is not, and losing all of it costs history only.

What stands in braces is the key's hash tag: all keys of a host lie in one slot of a Redis Cluster, so that each step is
one atomic function there. `{_}` is the control's; it can be no host's name. Times are Unix seconds by Redis' clock."""


def keys_page() -> str:
    """Keys of the store, from its own table."""
    from reconciler.store.layout import LAYOUT

    rows = [f"| `{it.key}` | {it.type} | {_cell(it.holds)} | {it.lives or 'until removed'} |" for it in LAYOUT]
    lines = [
        "# Redis keys",
        NOTE,
        KEYS_TEXT,
        "\n".join(["| key | type | holds | lives |", "| --- | --- | --- | --- |", *rows]),
        "A key of another type, or a record that Reconciler cannot read, counts as absent and is told.",
    ]
    return "\n\n".join(lines) + "\n"


METRICS_TEXT = """\
Every host is measured each `sampleInterval` of the [Fleet](manifests.md#fleet): by its agent, or by `reconcile watch`
for hosts over SSH and for its own machine. Look with `reconcile hosts metrics`; the names are those of expressions in
alerts, gates and triggers. How it works: [Monitor hosts](../how-to/monitor-hosts.md)."""


def metrics_page() -> str:
    """Metrics, from the table that expressions are checked against."""
    from reconciler.model.metrics import KEPT, METRICS

    rows = [
        f"| `{name}` | {it.each or '-'} | {_cell(it.about)} | {'yes' if name in KEPT else 'no'} |"
        for name, it in METRICS.items()
    ]
    head = ["| metric | one for each | what it is | kept as a series |", "| --- | --- | --- | --- |"]
    own = (
        "The end of a name is its unit. A series is what `retention.metrics` of the Fleet names; without it the ones"
        " above that say so, what alert rules look back at, and the metrics that apps measure of their own."
    )
    return "\n\n".join(["# Metrics", NOTE, METRICS_TEXT, "\n".join([*head, *rows]), own]) + "\n"


PAGES: Mapping[Path, Callable[[], str]] = {
    ROOT / "docs/reference/settings.md": settings_page,
    ROOT / "docs/reference/commands.md": commands_page,
    ROOT / "docs/reference/redis-keys.md": keys_page,
    ROOT / "docs/reference/metrics.md": metrics_page,
    ROOT / "docs/reference/manifests.md": lambda: "\n\n".join(["# Manifests", NOTE, *manifests_page()]) + "\n",
}

if __name__ == "__main__":
    main()
