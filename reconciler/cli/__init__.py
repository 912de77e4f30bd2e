"""The `reconcile` command: one file per subcommand; each parses, calls and prints. Imported by the console script.

Only the standard library is imported before the subcommand is known, so that a small command stays quick.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from reconciler.cli.exits import Exit

_OTHERS_WRITE = 0o022

COMMANDS = {
    "apply": "bring the fleet to what the manifests say (the default)",
    "plan": "show what an apply would do, change nothing (also: --dry-run)",
    "pause": "leave a host or an app alone until it is resumed",
    "resume": "take a paused host or app back",
    "status": "show what is in sync, healthy and drifted",
    "verify": "look at the hosts now and show what differs",
    "explain": "show where an app's values on a host come from",
    "render": "print an app's files as they would be on a host",
    "history": "show what was done, when and by whom",
    "init": "write a small fleet to start from",
    "validate": "check manifests and templates, ask no server",
    "schema": "write JSON Schemas for editors",
    "hosts": "list hosts and their facts",
    "jobs": "list work that is waiting, under way or done",
    "watch": "keep the fleet in its state until stopped",
    "doctor": "check this machine's set-up",
}

EPILOG = """exit codes: 0 done, 1 could not run, 2 changes (--dry-run --detailed-exitcode), 3 a host failed

`reconcile` alone is `reconcile apply`; `reconcile --dry-run` is `reconcile plan`. `reconcile COMMAND -h` tells more."""


class _Parser(argparse.ArgumentParser):
    """Ends with exit code 1 on wrong usage, since 2 means that there are changes; keeps the lines of a description."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.CANNOT, f"{self.format_usage()}error: {message}\n")


def entry() -> NoReturn:
    """The console script: `main`, then a quick end that skips tearing the interpreter down.

    Nothing that is made becomes writable for others, whatever umask was inherited.
    """
    os.umask(os.umask(_OTHERS_WRITE) | _OTHERS_WRITE)
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Never a traceback for what a user can cause."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        return _version()
    if words and words[0] in {"-h", "--help", "help"}:
        build_parser().print_help()
        return Exit.DONE
    name, rest = _command(words)
    from reconciler.cli.running import run

    return run(command(name), parser_of(name).parse_args(rest))


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, as `reconcile --help` and the reference page show it."""
    parser = _Parser(
        prog="reconcile",
        description="Keeps a fleet of plain Linux hosts in the state that a git repository describes.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, summary in COMMANDS.items():
        _fill(commands.add_parser(name, help=summary, description=_description(name)), name)
    return parser


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of one command alone."""
    return _fill(_Parser(prog=f"reconcile {name}", description=_description(name)), name)


def command(name: str) -> ModuleType:
    """The module of a command: `arguments(parser)` and `run(arguments, console) -> Exit`."""
    return import_module(f"reconciler.cli.{name}")


_EVERYWHERE = {"-C": 2, "-v": 1, "--verbose": 1, "-q": 1, "--quiet": 1, "--no-color": 1}
"""Flags of every command -> how many words they take."""


def _fill(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    from reconciler.cli.options import add_common

    command(name).arguments(parser)
    add_common(parser)
    return parser


def _description(name: str) -> str:
    return (command(name).__doc__ or "").strip()


def _command(words: list[str]) -> tuple[str, list[str]]:
    """The command that the words name, and the other words. Flags of every command may stand before it."""
    position = 0
    while position < len(words) and words[position] in _EVERYWHERE:
        position += _EVERYWHERE[words[position]]
    if position >= len(words) or words[position].startswith("-"):
        return _dry("apply", words)
    if words[position] not in COMMANDS:
        _unknown(words[position])
    return _dry(words[position], words[:position] + words[position + 1 :])


def _dry(name: str, words: list[str]) -> tuple[str, list[str]]:
    if name == "apply" and "--dry-run" in words:
        return "plan", [word for word in words if word != "--dry-run"]
    return name, words


def _unknown(word: str) -> NoReturn:
    from reconciler.errors import did_you_mean
    from reconciler.reports.visible import visible

    sys.stderr.write(f"error: there is no command {visible(word)}. {did_you_mean(word, COMMANDS)}\n")
    raise SystemExit(Exit.CANNOT)


def _version() -> int:
    from reconciler import __version__

    sys.stdout.write(f"reconcile {__version__}\n")
    return Exit.DONE
