"""Real hosts with any Python from 3.9 to 3.13: every kind of resource comes, stays, changes and goes there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.kinds import KINDS, SHELF, Kind, stock
from tests.e2e.ops import FLEET, Ops, Ran
from tests.e2e.story import app_of, seen
from tests.pythons import VERSIONS, interpreter

FOUND = {f"python-{version}": path for version in VERSIONS if (path := interpreter(version))}
"""Host -> the Python that it has; a version that this machine has not is skipped."""
STEPS: Mapping[str, Callable[[Kind], str]] = {
    "created": lambda kind: kind.first,
    "unchanged": lambda kind: kind.first,
    "changed": lambda kind: kind.second,
    "pruned": lambda _: "[]",
}


@dataclass(frozen=True)
class Lives:
    """What became of all kinds on all hosts."""

    fleet: Fleet
    ran: Mapping[str, Ran]
    """Step -> its apply."""
    witnessed: Mapping[tuple[str, str], Mapping[str, object]]
    """(step, host) -> kind -> what was seen."""


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    shown = {path.parents[1] for path in FOUND.values()} - {Path("/usr")}
    with booted(*FOUND, shows=sorted(shown)) as fleet:
        ops = Ops(fleet.directory / "ops", fleet)
        ops.write("manifests/fleet.yaml", FLEET)
        ops.write("templates/e2e.asc", stocked(fleet))
        for name, python in FOUND.items():
            (fleet[name].files / "usr/local/bin/python3").symlink_to(python)
            fleet.look(name).check_output("apt-get update && mkdir -p /srv/mount")
            ops.host(fleet, name, "")
        ran, witnessed = {}, {}
        for step, resources in STEPS.items():
            for kind in KINDS:
                ops.write(f"manifests/apps/{kind.name}.yaml", app_of(kind, resources(kind)))
            ops.commit(step)
            ran[step] = ops("apply", "--yes", "--allow-deletes", "500")
            for name in FOUND:
                witness = fleet.look(name)
                witnessed[step, name] = {kind.name: seen(kind, witness) for kind in KINDS}
        yield Lives(fleet, ran, witnessed)


def stocked(fleet: Fleet) -> str:
    """Every host has what the resources are made from; the public key of their package repository."""
    first, *others = (host.files for host in fleet.hosts.values())
    key = stock(first)
    for path in (SHELF, "/etc/apt/sources.list.d"):
        for other in others:
            copied = ["cp", "-a", f"{first}{path}", str((other / path.lstrip("/")).parent)]
            subprocess.run(copied, check=True)
    return key


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_is_created_left_alone_changed_and_pruned_there(lives: Lives, version: str) -> None:
    name = f"python-{version}"
    if name not in FOUND:
        pytest.skip(f"there is no Python {version} here: uv python install {version}")
    assert lives.fleet.look(name).check_output("python3 -V").startswith(f"Python {version}.")
    for step in ("created", "changed", "pruned"):
        expected = {kind.name: getattr(kind, step) for kind in KINDS}
        assert lives.witnessed[step, name] == expected, lives.ran[step].line_of(name)
    assert lives.witnessed["unchanged", name] == lives.witnessed["created", name]


def test_no_host_has_anything_to_do_twice(lives: Lives) -> None:
    assert [step for step, ran in lives.ran.items() if ran.code != 0] == []
    assert lives.ran["unchanged"].last_line.startswith("No changes."), lives.ran["unchanged"].out
