"""The words of a command line -> the subcommand that they name, and its arguments.

A subcommand with actions of its own is a folder: `ACTIONS` in its `__init__` names them, and the first is the default.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from reconciler.cli import flags_before
from reconciler.cli.exits import Exit

_INVALID_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")
"""How argparse words it."""

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
    "keys": "look after the keys that hosts obey",
    "secrets": "look after the secrets that the manifests name",
    "run": "run a job, or a command, on hosts",
    "jobs": "list, follow, cancel and retry runs and other work",
    "alerts": "list alerts, take care of them, try rules",
    "silence": "keep alerts quiet for a time",
    "schedules": "list schedules, when they are due, suspend one",
    "watch": "keep the fleet in its state until stopped",
    "agent": "serve one host from the host itself",
    "doctor": "check this machine's set-up",
}

EPILOG = """exit codes: 0 done, 1 could not run, 2 changes (--dry-run --detailed-exitcode),
3 a host failed, 130 ctrl-c

`reconcile` alone is `reconcile apply`.
`reconcile --dry-run` is `reconcile plan`.
`reconcile COMMAND -h` tells more."""


class _Parser(argparse.ArgumentParser):
    """Ends with exit code 1 on wrong usage, since 2 means that there are changes; keeps the lines of a description."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.CANNOT, f"error: {message}\n{self._meant(message)}Look: {self.prog} -h\n")

    def _meant(self, message: str) -> str:
        """Which of our flags, or of the words that one of them takes, was probably meant by one that is not ours."""
        from reconciler.errors import did_you_mean

        before, _, words = message.partition("unrecognized arguments: ")
        flags = [word.partition("=")[0] for word in words.split() if word.startswith("-")]
        if flags and not before:
            hint = did_you_mean(flags[0], self._option_string_actions)
        else:
            wrong = _INVALID_CHOICE.search(message)
            hint = did_you_mean(wrong[1], wrong[2].replace("'", "").split(", ")) if wrong else ""
        return f"{hint}\n" if hint else ""


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
    return _fill(_Parser(prog=f"reconcile {name.replace('.', ' ')}", description=_description(name)), name)


def command(name: str) -> ModuleType:
    """The module of a command (`plan`, `hosts.list`): `arguments(parser)` and `run(arguments, console) -> Exit`."""
    return import_module(f"reconciler.cli.{name}")


def _fill(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    from reconciler.cli.options import add_common

    if actions := _actions(name):
        subparsers = parser.add_subparsers(title="actions", metavar="ACTION")
        for action, summary in actions.items():
            full = f"{name}.{action}"
            _fill(subparsers.add_parser(action, help=summary, description=_description(full)), full)
        return parser
    command(name).arguments(parser)
    add_common(parser)
    return parser


def _actions(name: str) -> Mapping[str, str]:
    """Actions of a command that has them -> what they do."""
    return getattr(command(name), "ACTIONS", {})


def _description(name: str) -> str:
    return (command(name).__doc__ or "").strip()


def command_of(words: list[str]) -> tuple[str, list[str]]:
    """The command that the words name, and the other words. Flags of every command may stand before it."""
    position = flags_before(words)
    if position >= len(words) or words[position].startswith("-"):
        return _dry("apply", words)
    if words[position] not in COMMANDS:
        _unknown(words[position], COMMANDS)
    name, rest = _action(words[position], words[position + 1 :])
    return _dry(name, [*words[:position], *rest])


def _action(name: str, words: list[str]) -> tuple[str, list[str]]:
    """The action that is meant, and the other words; alone, or before flags, the default one."""
    actions = _actions(name)
    if not actions or words[:1] in (["-h"], ["--help"]):
        return name, words
    if not words or words[0].startswith("-"):
        return f"{name}.{next(iter(actions))}", words
    if words[0] not in actions:
        _unknown(words[0], actions, f"{name} ")
    return f"{name}.{words[0]}", words[1:]


def _dry(name: str, words: list[str]) -> tuple[str, list[str]]:
    if name == "apply" and "--dry-run" in words:
        return "plan", [word for word in words if word != "--dry-run"]
    return name, words


def _unknown(word: str, known: Collection[str], before: str = "") -> NoReturn:
    from reconciler.errors import did_you_mean
    from reconciler.reports.visible import visible

    hint = did_you_mean(word, known) or f"Look: reconcile {before}-h"
    sys.stderr.write(f"error: there is no command {before}{visible(word)}. {hint}\n")
    raise SystemExit(Exit.CANNOT)
