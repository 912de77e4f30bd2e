"""Runs of jobs on hosts with agents, whose Redis users reach nothing but their own slot."""

from __future__ import annotations

from tests.integration.agent.conftest import Fleet
from tests.integration.agent.test_converging import heard
from tests.integration.cli.test_jobs import alive, job, run_id, shell
from tests.waiting import until


def test_agents_carry_runs_out_one_at_a_time_where_a_lock_says_so(fleet: Fleet) -> None:
    one, two = fleet.edges.values()
    flag = one.root / "flag"
    job(
        fleet.ops,
        "alone",
        "lock: mine",
        "steps:",
        shell(f"mkdir {flag} && echo on {{{{ host.name }}}} && rmdir {flag}"),
    )
    with one.serving(), two.serving():
        until(lambda: heard(fleet, "edge-1") and heard(fleet, "edge-2"))
        ran = fleet.ops("run", "alone", "-l", "*", "-y")
    assert ran.code == 0, ran.out + ran.err
    assert "edge-1 | on edge-1" in ran.out
    assert "edge-2 | on edge-2" in ran.out


def test_a_secret_of_a_job_reaches_its_agent_sealed(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    fleet.ops.write(".reconciler/secrets/db/password", "correct horse battery\n")
    (fleet.ops.root / ".reconciler/secrets/db/password").chmod(0o600)
    argv = """[sh, -c, 'echo $PW; test "$PW" = "correct horse battery"']"""
    step = f"    - command: {{argv: {argv}, env: {{PW: {{secret: db/password}}}}}}"
    job(fleet.ops, "dump", "steps:", step)
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        ran = fleet.ops("run", "dump", "--host", "edge-1", "-y", "-o", "json")
    assert ran.code == 0, ran.out
    assert "horse" not in ran.out


def test_a_run_on_an_agent_is_cancelled_with_all_its_processes(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        started = fleet.ops("run", "--host", "edge-1", "-y", "--no-wait", "--command", "echo $$ >pid; sleep 1000")
        until(lambda: edge.text("/pid").strip())
        fleet.ops("jobs", "cancel", run_id(started))
        until(lambda: not alive(edge.text("/pid")), "the end of the process")


def test_a_run_that_no_agent_took_in_time_is_told(fleet: Fleet) -> None:
    ran = fleet.ops("run", "--host", "edge-1", "-y", "--expires", "1s", "--command", "true")
    assert ran.code == 3
    assert "nobody took it in time" in ran.out
