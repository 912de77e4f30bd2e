"""A control group of its own for every host: two systemds in one group take each other's processes for their own.

The one part of the machine that no namespace cleans up, so `namespaces` removes the groups at the end, and those of
killed runs at the next start. Hosts are put into theirs by `hosts`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_MOUNTS = Path("/sys/fs/cgroup")
_PREFIX = "reconciler-e2e-"
_VARIABLE = "E2E_CGROUPS"


@contextmanager
def own_groups() -> Iterator[dict[str, str]]:
    """Groups named for this process; gives the environment in which `within` finds them."""
    groups = [hierarchy / f"{_PREFIX}{os.getpid()}" for hierarchy in _hierarchies()]
    _sweep()
    for group in groups:
        group.mkdir()
    try:
        yield {_VARIABLE: os.pathsep.join(map(str, groups))}
    finally:
        for group in groups:
            _remove(group)


def within(name: str, command: Sequence[str]) -> list[str]:
    """The command, to be run in the group of a host, made where there is none."""
    groups = [parent / name for parent in given()]
    for group in groups:
        group.mkdir(exist_ok=True)
    enter = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift; exec "$@"'
    return ["sh", "-euc", enter, "sh", *map(str, groups), "--", *command]


def _hierarchies() -> list[Path]:
    """Where a systemd tracks processes: one place, or two on a machine with both versions of control groups.

    In a run inside a run: the outer one's groups.
    """
    places = given() or [_MOUNTS / "systemd", _MOUNTS / "unified", _MOUNTS]
    return [place for place in places if (place / "cgroup.procs").exists() and os.access(place, os.W_OK)]


def given() -> list[Path]:
    """The groups of the run that this process belongs to."""
    return [Path(group) for group in os.environ.get(_VARIABLE, "").split(os.pathsep) if group]


def _sweep() -> None:
    for hierarchy in _hierarchies():
        for group in hierarchy.glob(f"{_PREFIX}*"):
            if not Path("/proc", group.name.removeprefix(_PREFIX)).exists():
                with suppress(OSError):  # it belongs to a run whose processes this one cannot see
                    _remove(group)


def _remove(group: Path) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        Path(folder).rmdir()
