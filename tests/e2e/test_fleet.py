"""The fleet itself: what the other tests take for granted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e import cgroups
from tests.e2e.fleet import Fleet
from tests.e2e.root import SERVED
from tests.waiting import until


def test_hosts_are_up_with_their_own_names_keys_and_machine_ids(fleet: Fleet) -> None:
    machine_ids = set()
    for name in fleet.hosts:
        host = fleet.look(name)
        assert host.check_output("systemctl is-system-running --wait") == "running"
        assert host.check_output("hostname") == name
        assert fleet[name].address in host.check_output("ip -brief address show host0")
        machine_ids.add(host.file("/etc/machine-id").content_string)
    assert len(machine_ids) == len({host.host_key for host in fleet.hosts.values()}) == 3


def test_a_host_with_another_key_is_not_taken_for_the_expected_one(fleet: Fleet) -> None:
    expected, other = fleet["web-1"], fleet["web-2"]
    mistaken = fleet.directory / "mistaken"
    mistaken.write_text(f"{other.address} {expected.host_key}\n")
    options = [f"-oUserKnownHostsFile={mistaken}", "-oStrictHostKeyChecking=yes", "-oBatchMode=yes"]
    ssh = ["ssh", "-i", str(fleet.private_key), *options, f"root@{other.address}", "true"]
    refused = subprocess.run(ssh, capture_output=True, text=True, check=False)
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr


def test_ops_may_sudo_without_a_password(fleet: Fleet) -> None:
    assert fleet.look("web-1").check_output("su ops -c 'sudo -n id -un'") == "root"


def test_there_is_no_way_out(fleet: Fleet) -> None:
    host = fleet.look("db-1")
    assert host.check_output("ip route").split()[:3] == ["10.20.30.0/24", "dev", "host0"]
    assert host.check_output("ip route | wc -l") == "1"
    assert "Network is unreachable" in host.run("ip route get 192.0.2.1").stderr


def test_every_package_that_the_root_serves_can_be_installed(fleet: Fleet) -> None:
    planned = fleet.look("db-1").check_output(f"apt-get install --simulate {' '.join(SERVED)}")
    assert not [name for name in SERVED if f"Inst {name} " not in planned]


def test_a_package_is_installed_and_its_service_runs(fleet: Fleet) -> None:
    host = fleet.look("web-1")
    assert host.run("DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet nginx-light").rc == 0
    assert host.package("nginx-light").is_installed
    assert host.service("nginx").is_running
    assert host.socket("tcp://0.0.0.0:80").is_listening
    assert not fleet.look("web-2").package("nginx-light").is_installed


def test_a_reboot_comes_back_with_what_was_written(fleet: Fleet) -> None:
    host = fleet["web-2"]
    fleet.look("web-2").check_output("echo kept > /etc/kept && touch /run/gone")
    fleet.look("web-2").run("systemctl reboot")
    until(lambda: host.boots == 2, "the reboot")
    host.wait_until_reachable()
    assert fleet.look("web-2").file("/etc/kept").content_string == "kept\n"
    assert not fleet.look("web-2").file("/run/gone").exists


def test_a_host_without_power_is_silent_until_it_is_switched_on(fleet: Fleet) -> None:
    host = fleet["db-1"]
    host.pull_power()
    assert not host.answers()
    host.switch_on()
    host.wait_until_reachable()


def test_an_unplugged_host_is_out_of_reach_and_stays_on(fleet: Fleet) -> None:
    host = fleet["db-1"]
    host.unplug()
    assert not host.answers()
    host.plug()
    host.wait_until_reachable()
    assert host.boots == 2


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path) -> None:
    run = _another_run(tmp_path)
    processes = psutil.Process(run.pid).children(recursive=True)
    assert "systemd-nspawn" in {process.name() for process in processes}

    run.send_signal(ending)
    run.wait(60)
    until(lambda: not any(process.is_running() for process in processes), "the end of its processes")

    assert _enter("true").wait() == 0  # what no process can take with it is swept by the next run
    assert not _groups_named_for(run.pid)


def _another_run(tmp_path: Path) -> subprocess.Popen[bytes]:
    """A fleet of one host inside this one, up and waiting."""
    script, ready = tmp_path / "fleet.py", tmp_path / "ready"
    script.write_text(
        "import pathlib, signal\n"
        "from tests.e2e.fleet import booted\n"
        "with booted('other'):\n"
        f"    pathlib.Path({str(ready)!r}).touch()\n"
        "    signal.pause()\n"
    )
    run = _enter(sys.executable, str(script))
    until(ready.exists, "the other fleet")
    return run


def _enter(*command: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-m", "tests.e2e", *command], env=environment, stderr=subprocess.DEVNULL)


def _groups_named_for(pid: int) -> list[Path]:
    return [group for parent in cgroups.given() for group in parent.glob(f"*-{pid}")]
