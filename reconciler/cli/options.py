"""Flags that several commands share, and what they mean for the fleet."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.model.manifests import Manifests
    from reconciler.planner.scope import Scope
    from reconciler.settings import Settings


_LISTED = {
    "app": "Look: reconcile status",
    "host": "Look: reconcile hosts list",
    "job": "Look: reconcile jobs list",
    "key": "Look: reconcile keys list",
    "schedule": "Look: reconcile schedules list",
}
"""What people can name -> where they see which there are."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Flags of every command."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "-C", dest="directory", metavar="DIR", type=Path, default=Path(), help="run as if started in DIR"
    )
    group.add_argument("-v", "--verbose", action="store_true", help="show everything, also long diffs and host lists")
    group.add_argument("-q", "--quiet", action="store_true", help="print only what was asked for, and errors")
    group.add_argument("--no-color", action="store_true", help="no colour, also on a terminal (NO_COLOR does the same)")


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """`-o FORMAT`; text is the default."""
    parser.add_argument(
        "-o", "--output", choices=["text", *formats], default="text", help="how to print (default: text)"
    )


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Flags that pick hosts and apps."""
    group = parser.add_argument_group("which hosts and apps (default: all)")
    group.add_argument("--host", action="append", default=[], metavar="NAME", help="only this host; may be repeated")
    group.add_argument("--app", action="append", default=[], metavar="NAME", help="only this app; may be repeated")
    group.add_argument("-l", "--selector", metavar="SELECTOR", help="only hosts with these labels: role=web,zone!=eu-1")
    group.add_argument("--exclude", action="append", default=[], metavar="HOST", help="not this host; may be repeated")


def add_reason(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """`--reason TEXT`, kept in the history."""
    parser.add_argument("--reason", default="", required=required, metavar="TEXT", help="why, for `reconcile history`")


def settings_of(arguments: argparse.Namespace, *, need_repository: bool = True) -> Settings:
    """The process's settings, from the environment and `-C`."""
    from reconciler.settings import load

    return load(arguments.directory, os.environ, need_repository=need_repository)


def scope_of(arguments: argparse.Namespace, manifests: Manifests) -> Scope:
    """The part of the fleet that the flags pick.

    Raises:
        InvalidInput: a name that does not exist, a selector that cannot be read or that matches nothing.
    """
    from reconciler.planner.scope import Scope

    hosts = hosts_of(arguments, manifests)
    apps = frozenset(all_known(arguments.app, manifests.apps, "app")) or None
    return Scope(hosts, apps)


def hosts_of(arguments: argparse.Namespace, manifests: Manifests) -> frozenset[str] | None:
    """The hosts that the flags pick; None: no flag does. Raises as `scope_of`."""
    if not (arguments.host or arguments.selector or arguments.exclude):
        return None
    from reconciler.model.selector import EVERYTHING, Selector, SelectorError

    try:
        selector = Selector.parse(arguments.selector) if arguments.selector else EVERYTHING
    except SelectorError as error:
        raise InvalidInput.of("invalid-selector", f"--selector: {error}") from None
    picked = set(manifests.select(selector))
    if arguments.host:
        picked &= set(all_known(arguments.host, manifests.hosts, "host"))
    picked -= set(all_known(arguments.exclude, manifests.hosts, "host"))
    if not picked:
        raise InvalidInput.of("no-host", "these flags pick no host", hint="Look: reconcile hosts list")
    return frozenset(picked)


def known(name: str, names: Collection[str], kind: str, otherwise: str = "") -> str:
    """The name, if it is one of `names`.

    Raises:
        InvalidInput: it is not; with did you mean, or else `otherwise`, or else where such names are listed.
    """
    (found,) = all_known([name], names, kind, otherwise)
    return found


def all_known(asked: Sequence[str], names: Collection[str], kind: str, otherwise: str = "") -> Sequence[str]:
    """All of these names, if each is one of `names`; raises as `known`, with each that is not."""
    from reconciler.errors import NOWHERE, Problem, did_you_mean

    strange = [name for name in asked if name not in names]
    if strange:
        look = otherwise or _LISTED.get(kind, "")
        hints = ((name, did_you_mean(name, names) or look) for name in strange)
        raise InvalidInput(Problem(NOWHERE, f"there is no {kind} {name}", hint, "unknown-name") for name, hint in hints)
    return asked


def facts_of(arguments: argparse.Namespace) -> Mapping[str, Mapping[str, Any]] | None:
    """What `--facts FILE` holds: host -> facts, as `reconcile hosts facts -o json` prints them."""
    if arguments.facts is None:
        return None
    import json

    try:
        document = json.loads(arguments.facts.read_text())
        return dict(document["hosts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Make it: reconcile hosts facts -o json > facts.json"
        raise InvalidInput.of("invalid-facts", f"cannot read {arguments.facts}: {error}", hint=hint) from None
