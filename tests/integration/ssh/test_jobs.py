"""Runs of jobs on hosts over SSH: output as it comes, cancelling, and a connection that is cut in the middle."""

from __future__ import annotations

import pytest

from tests.integration.cli.test_jobs import alive, job, run_id, shell
from tests.integration.ssh.conftest import Sshd, SshFleet
from tests.waiting import until


def test_a_job_runs_and_shows_what_it_prints(fleet: SshFleet) -> None:
    job(
        fleet,
        "greet",
        "params: {name: {}}",
        "steps:",
        "    - directory: {path: /srv}",
        shell("echo Hello {{ name }}; exit 3"),
    )
    ran = fleet("run", "greet", "--host", "web-1", "-p", "name=Ann", "-y")
    assert ran.code == 3
    assert "Hello Ann\n" in ran.out
    assert "exit code 3" in ran.out
    assert fleet.on_host("/srv").is_dir()


def test_much_output_is_bounded_on_its_way(fleet: SshFleet) -> None:
    ran = fleet("run", "--host", "web-1", "-y", "--command", "yes 0123456789 | head -c 30000000; echo END")
    assert ran.code == 0, ran.err
    assert "END\n" in ran.out
    assert len(ran.out) < 3_000_000


def test_cancelling_ends_what_runs_on_the_host(fleet: SshFleet) -> None:
    pid = fleet.on_host("/pid")
    with fleet.beside("run", "--host", "web-1", "-y", "--command", "echo $$ >pid; sleep 1000") as process:
        until(lambda: pid.exists() and pid.read_text().endswith("\n"))
        listed = fleet("jobs", "list", "--state", "running").out
        fleet("jobs", "cancel", listed.splitlines()[1].split()[0])
        process.ends()
        assert "cancelled" in process.told()
    until(lambda: not alive(pid.read_text()), "the end of the process")


@pytest.mark.parametrize(("on_lost", "code", "lines"), [("fail", 3, 1), ("retry", 0, 2)])
def test_a_run_whose_connection_is_cut_goes_by_onlost(
    fleet: SshFleet, sshd: Sshd, on_lost: str, code: int, lines: int
) -> None:
    job(fleet, "long", f"onLost: {on_lost}", "steps:", shell("echo $$ >>log; test $(wc -l <log) = 2 || sleep 1000"))
    log = fleet.on_host("/log")
    with fleet.beside("run", "long", "--host", "web-1", "--yes") as process:
        until(lambda: log.exists() and log.read_text().endswith("\n"))
        sshd.cut()
        assert process.ends() == code
    assert len(log.read_text().splitlines()) == lines
    until(lambda: not alive(log.read_text().splitlines()[0]), "the end of what was cut off")


def test_a_job_that_may_be_tried_again_waits_for_a_host_out_of_reach(fleet: SshFleet, sshd: Sshd) -> None:
    job(fleet, "patient", "retries: 1", "steps:", shell("echo done >>log"))
    sshd.stop()
    with fleet.beside("run", "patient", "--host", "web-1", "--yes") as process:
        process.says("web-1: retrying: ")
        sshd.start()
        assert process.ends() == 0
    assert fleet.on_host("/log").read_text() == "done\n"


def test_a_run_that_may_not_be_tried_again_ends_where_its_host_is_out_of_reach(fleet: SshFleet, sshd: Sshd) -> None:
    sshd.stop()
    ran = fleet("run", "--host", "web-1", "-y", "--command", "true")
    assert ran.code == 3
    assert "failed" in ran.out
    assert run_id(ran) in fleet("jobs", "list", "--state", "failed", "-v").out
