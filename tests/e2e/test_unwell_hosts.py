"""One apply over a fleet in which hosts are out of reach, mute, slow or dying: the others converge, all have a line."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops, Ran
from tests.waiting import until

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: web}
spec:
  hosts: "*"
  resources:
    - file: {path: /etc/first, content: "first\\n"}
    - command: {argv: [sh, -c, "touch /run/slow; sleep 600"], timeout: 15m}
      name: slow
      when: host.name == 'dying'
    - file: {path: /etc/last, content: "last\\n"}
"""
NAMES = ("well", "also-well", "unplugged", "mute", "slow", "dying")
DELAY = "300ms"


@dataclass(frozen=True)
class Told:
    """The run, and the fleet after it."""

    fleet: Fleet
    ops: Ops
    ran: Ran

    def has(self, name: str, path: str) -> bool:
        return bool(self.fleet.look(name).file(path).exists)


@pytest.fixture(scope="module")
def run() -> Iterator[Told]:
    with booted(*NAMES) as fleet:
        ops = Ops(fleet.directory / "ops", fleet)
        ops.write("manifests/fleet.yaml", FLEET)
        ops.write("manifests/app.yaml", APP)
        for name in NAMES:
            ops.host(fleet, name, "")
        ops.commit("six hosts")
        fleet.look("mute").check_output("systemctl kill --kill-whom=main --signal=STOP ssh")
        fleet["unplugged"].unplug()
        if not slowed(fleet["slow"].cable):
            fleet.look("slow").check_output("systemctl set-property --runtime ssh.service CPUQuota=5%")
        with ops.running("apply", "--yes") as applying:
            until(lambda: fleet.look("dying").file("/run/slow").exists, "the middle of the apply")
            fleet["dying"].pull_power()
            out, _ = applying.communicate()
        yield Told(fleet, ops, Ran(applying.returncode, out))


def slowed(cable: str) -> bool:
    """Whether the kernel could make everything that comes out of a cable late."""
    netem = ["tc", "qdisc", "add", "dev", cable, "root", "netem", "delay", DELAY]
    return subprocess.run(netem, capture_output=True, check=False).returncode == 0


def test_it_ends_with_3_and_a_line_for_every_host(run: Told) -> None:
    assert run.ran.code == 3, run.ran.out
    assert {name for name in NAMES if run.ran.line_of(name)} == set(NAMES)
    assert "6 hosts: 3 changed" in run.ran.last_line, run.ran.out


@pytest.mark.parametrize("name", ["well", "also-well", "slow"])
def test_the_others_converge_also_a_slow_one(run: Told, name: str) -> None:
    assert "changed=2" in run.ran.line_of(name)
    assert run.has(name, "/etc/last")


@pytest.mark.parametrize(("name", "reason"), [("unplugged", "cannot reach 10.20.30."), ("mute", "no answer within")])
def test_a_host_that_does_not_answer_is_called_unreachable_with_the_reason(run: Told, name: str, reason: str) -> None:
    line = run.ran.line_of(name)
    assert "unreachable" in line
    assert reason in line


def test_a_host_that_dies_in_the_middle_is_told(run: Told) -> None:
    line = run.ran.line_of("dying")
    assert "unreachable" in line or "failed=1" in line, run.ran.out


def test_they_converge_when_they_are_back(run: Told) -> None:
    run.ops.replace("manifests/app.yaml", "touch /run/slow; sleep 600", "true")
    run.fleet["unplugged"].plug()
    run.fleet["dying"].switch_on()
    run.fleet["mute"].pull_power()
    run.fleet["mute"].switch_on()
    for host in run.fleet.hosts.values():
        host.wait_until_reachable()
    again = run.ops("apply", "--yes", "--allow-dirty")
    assert again.code == 0, again.out
    assert all(run.has(name, "/etc/last") for name in NAMES)
