"""Jobs on real hosts, over SSH and by an agent: restarts in their middle, and commands that do not want to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops
from tests.e2e.redis import serving
from tests.e2e.wheels import cached_wheels
from tests.waiting import until

JOB = """\
apiVersion: reconciler/v1
kind: Job
metadata: {name: renew}
spec:
  params: {within: {default: 5m}}
  steps:
    - command: {argv: [sh, -c, "cat $BOOT >/root/before; echo goes down"], env: &boot {BOOT: BOOT_ID}}
      name: before
    - reboot: {timeout: "{{ within }}"}
    - command: {argv: [sh, -c, "cat $BOOT >/root/after; echo is back"], env: *boot}
      name: after
""".replace("BOOT_ID", "/proc/sys/kernel/random/boot_id")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with booted("by-ssh", "by-agent") as hosts:
        yield hosts


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Iterator[Ops]:
    """One host is worked on over SSH, the other by its agent."""
    with serving(fleet.directory / "redis") as url:
        made = Ops(fleet.directory / "ops", fleet, {"RECONCILER_REDIS_URL": url})
        made.give_wheels(cached_wheels())
        made.write("manifests/fleet.yaml", FLEET)
        made.write("manifests/jobs/renew.yaml", JOB)
        for name in fleet.hosts:
            made.host(fleet, name, "role: edge")
        made.commit("two hosts")
        ran = made("hosts", "enroll", "by-agent")
        assert ran.code == 0, ran.out
        made.commit("one has an agent")
        yield made


HOSTS = pytest.mark.parametrize("name", ["by-ssh", "by-agent"])


@HOSTS
def test_a_job_goes_on_once_its_host_restarted(fleet: Fleet, ops: Ops, name: str) -> None:
    host = fleet[name]
    boots = host.boots
    ran = ops("run", "renew", "--host", name, "--yes")
    assert ran.code == 0, ran.out
    assert host.boots == boots + 1
    places = [ran.out.index(text) for text in ("goes down", "-- the host restarts", "is back")]
    assert places == sorted(places)
    before, after = (fleet.look(name).file(f"/root/{when}").content_string for when in ("before", "after"))
    assert before != after


@HOSTS
def test_a_host_that_does_not_come_back_is_told(fleet: Fleet, ops: Ops, name: str) -> None:
    host = fleet[name]
    host.hold_down()
    ran = ops("run", "renew", "--host", name, "--yes", "-p", "within=15s")
    assert ran.code == 3, ran.out
    assert "the host did not come back in time after its restart" in ran.out
    assert "is back" not in ran.out
    host.switch_on()
    host.wait_until_reachable()
    assert ops("run", "--host", name, "--yes", "--command", "true").code == 0


NAMES = ("by-ssh", "by-agent")
STUBBORN = """
trap "" TERM
stubborn() { trap "" TERM; echo $$ >/run/$1; while :; do sleep 1; done; }
sh -c "$(declare -f stubborn); stubborn child" &
setsid sh -c "$(declare -f stubborn); stubborn detached" &
stubborn parent
"""


def test_what_ignores_that_its_time_is_up_is_killed_with_all_that_it_started(fleet: Fleet, ops: Ops) -> None:
    stubborn = ("--command", "--", "bash", "-c", STUBBORN)
    ran = ops("run", "-l", "role=edge", "--yes", "--timeout", "2s", *stubborn)
    assert ran.code == 3, ran.out
    assert ran.out.count("signal 9") == ran.out.count("its time is up") == len(NAMES), ran.out
    for name in NAMES:
        for who in ("parent", "child", "detached"):
            assert fleet.look(name).run(f"test -s /run/{who} && ! kill -0 $(cat /run/{who})").rc == 0, (name, who)


def test_of_a_command_that_prints_a_gigabyte_the_end_is_kept(ops: Ops) -> None:
    endless = ("--command", "yes 0123456789 | head -c 1000000000; echo END")
    runs = ops.json("run", "-l", "role=edge", "--yes", *endless)["runs"]
    assert {run["host"] for run in runs} == set(NAMES)
    for run in runs:
        assert run["state"] == "succeeded", run
        assert run["output"].endswith("END\n")
        assert len(run["output"]) <= 65536


def test_a_run_that_is_cancelled_while_its_host_is_cut_off_is_ended_there_and_never_begun_again(
    fleet: Fleet, ops: Ops
) -> None:
    host, look = fleet["by-ssh"], fleet.look("by-ssh")
    command = ("--command", "echo $$ >>/run/cut-off; sleep 1000")
    with ops.running("run", "--host", "by-ssh", "--yes", *command) as process:
        until(lambda: look.run("test -s /run/cut-off").rc == 0, "its beginning")
        host.unplug()
        run = ops("jobs", "list", "--state", "running").out.splitlines()[1].split()[0]
        assert ops("jobs", "cancel", run).code == 0
        out, _ = process.communicate(timeout=300)
    assert (process.returncode, "cancelled" in out) == (3, True), out
    host.plug()
    host.wait_until_reachable()
    assert ops("run", "--host", "by-ssh", "--yes", "--command", "true").code == 0
    until(lambda: look.run("kill -0 $(head -n 1 /run/cut-off)").rc != 0, "its end")
    assert look.check_output("wc -l </run/cut-off") == "1"
