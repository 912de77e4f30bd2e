"""The host's own accounts as /etc/passwd, /etc/group and /etc/shadow tell them; read by `user` and `group`.

Formats: passwd(5), group(5), shadow(5).
"""

from __future__ import annotations

from typing import Dict, List, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.system import Command, System
from reconciler.resources.values import dataclass


@dataclass(frozen=True)
class Account:
    """One line of /etc/passwd."""

    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True)
class Team:
    """One line of /etc/group."""

    gid: int
    members: Tuple[str, ...]


def accounts(system: System) -> Dict[str, Account]:
    """All users, by name."""
    return {row[0]: Account(int(row[2]), int(row[3]), row[5], row[6]) for row in _rows(system, "/etc/passwd", 7)}


def groups(system: System) -> Dict[str, Team]:
    """All groups, by name."""
    rows = _rows(system, "/etc/group", 4)
    return {row[0]: Team(int(row[2]), tuple(name for name in row[3].split(",") if name)) for row in rows}


def locked(system: System, name: str) -> bool:
    """Whether nobody can log in as this user: the account has expired (shadow(5): day 1)."""
    return any(row[0] == name and row[7] == "1" for row in _rows(system, "/etc/shadow", 9))


def carry_out(system: System, argv: Tuple[str, ...], stdin: str = "") -> None:
    """Run a program that has to succeed.

    Raises:
        Failure: `command-failed`, with what it said.
    """
    done = system.run(Command(argv, stdin=stdin.encode() if stdin else None))
    if not done.ok:
        raise Failure("command-failed", f"{' '.join(argv[:2])} failed", said=done.complaint)


def _rows(system: System, path: str, columns: int) -> List[List[str]]:
    found = system.read(path)
    if found is None:
        return []
    rows = [line.split(":") for line in found[1].decode(errors="replace").splitlines() if not line.startswith("#")]
    return [row for row in rows if len(row) >= columns]
