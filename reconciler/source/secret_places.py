"""The kinds of places that hold secret values: environment variables, directories of files, a command's answer.

Called by secret_values, which asks them in order. An empty value counts as not found: CI systems set variables of
secrets that they lack to empty text.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from reconciler.errors import Place, Problem
from reconciler.resources.values import dataclass, field
from reconciler.settings import SECRET_PREFIX
from reconciler.source.processes import TimedOut, run

LARGEST_BYTES = 256 << 10
COMMAND_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and the one place that it came from."""

    value: bytes = field(repr=False)
    source: str


@dataclass(slots=True)
class Search:
    """What is learnt while one secret is looked for."""

    path: str
    tried: list[str] = field(default_factory=list)
    """Places without it, each with the reason where that is not simply its absence."""
    again: bool = False
    """A place did not answer in time; it may the next time."""
    warnings: list[Problem] = field(default_factory=list)


class SecretPlace(Protocol):
    """One kind of place."""

    def find(self, search: Search) -> Found | None:
        """The value, or None after telling the search what was tried."""
        ...


class Environment:
    """Variables such as RECONCILER_SECRET_WEBAPP_MYSQL_PASS for `webapp/mysql_pass`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def find(self, search: Search) -> Found | None:
        name = SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", search.path.upper())
        if value := self._variables.get(name):
            return Found(os.fsencode(value), f"env {name}")
        search.tried.append(f"env {name}")
        return None


class Directory:
    """Files `webapp/mysql_pass`, or `webapp_mysql_pass` as systemd and Docker lay them out."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, search: Search) -> Found | None:
        for name in dict.fromkeys((search.path, search.path.replace("/", "_"))):
            file = self._directory / name
            try:
                value = _read(file, search)
            except FileNotFoundError:
                search.tried.append(str(file))
            except OSError as error:
                search.tried.append(f"{file} ({(error.strerror or str(error)).lower()})")
            else:
                return Found(value, str(file))
        return None


def _read(file: Path, search: Search) -> bytes:
    """A file's content; OSError where it is not a readable, regular file of a sensible size."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("not a regular file")
        value = opened.read(LARGEST_BYTES + 1)
    if len(value) > LARGEST_BYTES:
        raise OSError(f"larger than {LARGEST_BYTES} bytes")
    if not value.strip(b"\n"):
        raise OSError("empty")
    if found.st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH:
        hint = f"Run: chmod o-r {file}"
        search.warnings.append(Problem(Place(file=str(file)), "others can read this secret", hint, "exposed-secret"))
    return value


class Command:
    """A command that prints the value; the path is its last argument."""

    def __init__(self, argv: tuple[str, ...], environ: Mapping[str, str]) -> None:
        self._argv = argv
        self._environ = environ

    def find(self, search: Search) -> Found | None:
        source = f"{self._argv[0]} {search.path}"
        try:
            outcome = run([*self._argv, search.path], environ=self._environ, timeout_seconds=COMMAND_SECONDS)
        except TimedOut:
            search.again = True
            search.tried.append(f"{source} (no answer within {COMMAND_SECONDS:g} s)")
            return None
        except OSError as error:
            search.tried.append(f"{source} ({(error.strerror or str(error)).lower()})")
            return None
        if outcome.code == 0 and outcome.output.strip(b"\n"):
            return Found(outcome.output, source)
        search.tried.append(f"{source} ({outcome.last_line if outcome.code else 'printed nothing'})")
        return None
