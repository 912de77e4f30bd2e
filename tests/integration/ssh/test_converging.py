"""Hosts over SSH, as a person keeps them: converge, nothing to do, drift, failures, hosts that are gone."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from reconciler.errors import Unavailable
from reconciler.transport.ssh import Connections
from tests.integration.cli.conftest import host
from tests.integration.cli.test_watching import watching
from tests.integration.ssh.conftest import HELLO, Sshd, SshFleet, route
from tests.waiting import until


def test_a_host_converges_and_then_has_nothing_to_do(fleet: SshFleet) -> None:
    first = fleet("apply", "--yes")
    assert first.code == 0, first.out + first.err
    assert fleet.on_host("/etc/hello").read_text() == "Hello from web-1\n"
    before = os.lstat(fleet.on_host("/etc/hello"))

    assert fleet("plan").last_line.startswith("No changes. 1 host matches revision ")
    assert fleet("apply", "--yes").code == 0
    assert os.lstat(fleet.on_host("/etc/hello")) == before


def test_a_dry_run_asks_no_host(fleet: SshFleet, sshd: Sshd) -> None:
    sshd.stop()
    plan = fleet("--dry-run", "--detailed-exitcode")
    assert plan.code == 2
    assert "1 unknown on 1 host" in plan.last_line


def test_verify_asks_and_drift_is_healed(fleet: SshFleet) -> None:
    fleet("apply", "--yes")
    assert fleet("verify", "--detailed-exitcode").code == 0
    fleet.on_host("/etc/hello").write_text("someone was here\n")

    assert fleet("verify", "--detailed-exitcode").code == 2
    assert "rift" in fleet("plan").out
    assert fleet("apply", "--yes").code == 0
    assert fleet.on_host("/etc/hello").read_text() == "Hello from web-1\n"


def test_what_fails_goes_back_to_what_it_was_and_is_not_tried_again(fleet: SshFleet) -> None:
    fleet("apply", "--yes")
    fleet.replace("templates/hello.j2", "from", "out of")
    fleet.app(HELLO, "command: {argv: ['false']}")

    failed = fleet("apply", "--yes")
    assert failed.code == 3
    assert fleet.on_host("/etc/hello").read_text() == "Hello from web-1\n"
    assert "it failed here before" in fleet("plan").out


def test_defaults_that_are_written_out_change_nothing_and_a_plan_says_so(fleet: SshFleet) -> None:
    fleet("apply", "--yes")
    fleet.app('file: {path: /etc/hello, template: hello.j2, owner: root, group: root, mode: "0644"}')
    assert fleet("--dry-run").last_line.startswith("No changes.")
    assert fleet("apply", "--yes").code == 0


def test_what_a_host_refused_stands_in_the_next_plan(fleet: SshFleet) -> None:
    fleet.on_host("/etc").mkdir(parents=True)
    fleet.on_host("/etc/hello").write_text("somebody's\n")
    refused = fleet("apply", "--yes")
    assert refused.code == 3
    plan = fleet("--dry-run").out
    assert "/etc/hello exists, differs and is not ours. Take over: adopt: replace" in plan
    assert "never looked at" not in plan


def test_templates_read_the_facts_of_the_host(fleet: SshFleet) -> None:
    fleet.replace("templates/hello.j2", "{{ host.name }}", "{{ facts.kernel }}")
    fleet("verify")
    assert fleet("apply", "--yes").code in {0, 3}
    assert fleet("apply", "--yes").code == 0
    assert fleet.on_host("/etc/hello").read_text() == f"Hello from {os.uname().release}\n"


def test_an_emptied_redis_fills_from_the_hosts_own_ledger(fleet: SshFleet) -> None:
    fleet("apply", "--yes")
    before = os.lstat(fleet.on_host("/etc/hello"))
    forget(fleet)

    fleet("verify")
    assert fleet("plan").last_line.startswith("No changes.")
    assert fleet("apply", "--yes").code == 0
    assert os.lstat(fleet.on_host("/etc/hello")) == before


def test_a_pause_is_learned_by_the_host_and_told_to_an_emptied_redis(fleet: SshFleet) -> None:
    fleet("apply", "--yes")
    fleet("pause", "--host", "web-1", "--reason", "disk swap")
    fleet.replace("templates/hello.j2", "from", "out of")
    assert "disk swap" in fleet("plan").out
    forget(fleet)

    fleet("apply", "--yes")
    assert fleet.on_host("/etc/hello").read_text() == "Hello from web-1\n"
    assert "disk swap" in fleet("plan").out
    fleet("resume", "--host", "web-1")
    assert fleet("apply", "--yes").code == 0
    assert fleet.on_host("/etc/hello").read_text() == "Hello out of web-1\n"


def test_a_host_that_is_gone_has_its_line_and_holds_up_nobody(fleet: SshFleet, sshd: Sshd) -> None:
    fleet.add_host("gone")
    fleet.replace("manifests/hosts/gone.yaml", f"port: {sshd.port}", "port: 1")
    fleet.write("manifests/hosts/here.yaml", host("here"))

    ran = fleet("apply", "--yes")
    assert ran.code == 3
    assert "gone" in ran.out
    assert "cannot reach 127.0.0.1 port 1: Connection refused" in ran.out
    assert fleet.on_host("/etc/hello").exists()
    assert (fleet.root / ".reconciler/sandbox/here/etc/hello").exists()

    fleet.replace("manifests/hosts/gone.yaml", "port: 1", f"port: {sshd.port}")
    again = fleet("apply", "--yes")
    assert again.code == 0, again.out
    assert fleet.on_host("/etc/hello", "gone").exists()


def test_twenty_hosts_converge_at_once(fleet: SshFleet) -> None:
    names = [f"web-{number}" for number in range(1, 21)]
    for name in names:
        fleet.add_host(name)
    ran = fleet("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert {fleet.on_host("/etc/hello", name).read_text() for name in names} == {f"Hello from {n}\n" for n in names}
    assert all(name in ran.out for name in names)


def test_a_connection_that_is_cut_in_the_middle_is_taken_up_by_the_next_run(fleet: SshFleet, sshd: Sshd) -> None:
    fleet.app(HELLO, once_slow("sleep 600"), "file: {path: /etc/last, content: done}")
    with fleet.beside("apply", "--yes") as first:
        until(fleet.on_host("/started").exists)
        assert sshd.cut() > 0
        assert first.ends() == 3
        assert "the connection was lost" in first.told()
        assert "Traceback" not in first.told()

    again = fleet("apply", "--yes")
    assert again.code == 0, again.out
    assert fleet.on_host("/etc/last").read_text() == "done"
    assert fleet("verify", "--detailed-exitcode").code == 0


def test_an_interrupted_apply_of_several_hosts_lets_go_of_them_all(fleet: SshFleet) -> None:
    fleet.add_host("web-2")
    fleet.app(HELLO, once_slow("sleep 600"), "file: {path: /etc/last, content: done}")
    with fleet.beside("apply", "--yes") as first:
        until(lambda: all(fleet.on_host("/started", name).exists() for name in ("web-1", "web-2")))
        first.sends(signal.SIGINT)
        assert first.ends() == -signal.SIGINT

    again = fleet("apply", "--yes")
    assert again.code == 0, again.out
    assert "waiting for" not in again.err
    assert [fleet.on_host("/etc/last", name).read_text() for name in ("web-1", "web-2")] == ["done", "done"]


def test_an_executor_killed_in_the_middle_is_taken_over(fleet: SshFleet) -> None:
    fleet.app(HELLO, once_slow("sleep 600"), "file: {path: /etc/last, content: done}")
    with fleet.beside("apply", "--yes") as first:
        until(fleet.on_host("/started").exists)
        first.dies()
    sleeper = int(fleet.on_host("/started").read_text())
    forget(fleet)

    again = fleet("apply", "--yes")
    assert again.code == 0, again.out
    assert fleet.on_host("/etc/last").read_text() == "done"
    assert not Path(f"/proc/{sleeper}").exists()
    assert fleet("verify", "--detailed-exitcode").code == 0


def test_a_watch_keeps_its_connection_and_heals(fleet: SshFleet, sshd: Sshd) -> None:
    fleet.replace("manifests/apps/hello.yaml", "  config:", "  verifyEvery: 1s\n  config:")
    with watching(fleet):
        until(fleet.on_host("/etc/hello").exists)
        sessions = sshd.sessions()
        fleet.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: fleet.on_host("/etc/hello").read_text() == "Bye from web-1\n")
        assert sshd.sessions() == sessions
        until(
            lambda: fleet("plan").last_line.startswith("No changes.")
        )  # what is written before counts as a failed change
        fleet.on_host("/etc/hello").write_text("someone was here\n")
        until(lambda: fleet.on_host("/etc/hello").read_text() == "Bye from web-1\n")
        sshd.cut()
        fleet.replace("manifests/apps/hello.yaml", "Bye", "Back")
        until(lambda: fleet.on_host("/etc/hello").read_text() == "Back from web-1\n")
    until(lambda: sshd.sessions() == [])


def once_slow(what: str) -> str:
    """A command that takes long when it is run for the first time."""
    script = f"test -e started && exit; echo $$ >started.new; mv started.new started; exec {what}"
    return f"command: {{argv: [sh, -c, '{script}'], cwd: /}}"


def forget(fleet: SshFleet) -> None:
    """Lose all that Redis holds; the last command to leave stops the server."""
    fleet("history")
    shutil.rmtree(fleet.root / ".reconciler" / "store")


def test_a_host_that_is_approached_is_connected_to_once(sshd: Sshd, connections: Connections) -> None:
    connections.approach(route(sshd), "fleet")
    connections.approach(route(sshd), "fleet")
    opened = connections.open(route(sshd), "fleet")
    assert opened.facts()["hostname"]
    assert len(sshd.sessions()) == 1
    opened.close()


def test_an_approach_that_fails_is_told_when_the_host_is_opened_and_then_tried_anew(
    sshd: Sshd, connections: Connections
) -> None:
    sshd.stop()
    connections.approach(route(sshd), "fleet")
    with pytest.raises(Unavailable, match="cannot reach"):
        connections.open(route(sshd), "fleet")
    sshd.start()
    connections.open(route(sshd), "fleet").close()
