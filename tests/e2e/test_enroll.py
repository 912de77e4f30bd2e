"""Agents come to real hosts, converge them, are upgraded, and go without a trace. The hosts have no way out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.e2e.fleet import OPS_ADDRESS, Fleet
from tests.e2e.ops import FLEET, PROJECT, Ops, Ran
from tests.e2e.redis import reachable, serving
from tests.e2e.wheels import cached_wheels
from tests.waiting import until

SERVICE = "reconciler-agent"
CURRENT = "/opt/reconciler/current"
MOST_MEMORY_BYTES = 60 << 20
APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: greeting}
spec:
  hosts: role=web
  verifyEvery: 1s
  config: {word: {secret: greeting/word}}
  resources:
    - file: {path: /etc/greeting, content: "Hello from {{ host.name }}, {{ word }}\\n"}
"""
SLOW = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: slow}
spec:
  hosts: role=web
  resources:
    - command: {argv: [sh, -c, "touch /root/begun; until test -e /root/go; do sleep 0.1; done"]}
      name: patience
    - file: {path: /etc/slow, content: "done\\n"}
"""
HARDENED = {"LimitCORE": "0", "LockPersonality": "yes", "RestrictRealtime": "yes"}
OWN = ("/opt/reconciler", "/etc/reconciler", f"/etc/systemd/system/{SERVICE}.service")
"""Where an agent has files of its own, beside the host's ledger."""


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Iterator[Ops]:
    with serving(fleet.directory / "redis") as url:
        made = Ops(fleet.directory / "ops", fleet, {"RECONCILER_REDIS_URL": url})
        made.give_wheels(cached_wheels())
        made.write("manifests/fleet.yaml", FLEET)
        made.write("manifests/apps/greeting.yaml", APP)
        made.host(fleet, "web-1", "role: web")
        made.host(fleet, "web-2", "role: web", "{user: ops, become: true}")
        made.host(fleet, "db-1", "role: db", "{user: ops}")
        made.secret("greeting/word", "sesame")
        made.commit("a small fleet")
        yield made


@pytest.fixture(scope="module")
def enrolled(fleet: Fleet, ops: Ops) -> Ran:
    ran = ops("hosts", "enroll", "web-1")
    assert ran.code == 0, ran.out
    return ran


def memory_bytes(fleet: Fleet, name: str) -> int:
    """What the agent's own process holds (RSS)."""
    host = fleet.look(name)
    pid = host.check_output(f"systemctl show --property=MainPID --value {SERVICE}")
    return int(host.check_output(f"awk '/^VmRSS/ {{print $2}}' /proc/{pid}/status")) << 10


def test_enrolling_leaves_a_service_that_runs_now_and_at_every_boot(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    service = fleet.look("web-1").service(SERVICE)
    assert service.is_running
    assert service.is_enabled
    assert "is at work" in enrolled.out
    assert {key: service.systemd_properties[key] for key in HARDENED} == HARDENED


def test_only_root_reads_what_is_secret(fleet: Fleet, enrolled: Ran) -> None:
    host = fleet.look("web-1")
    assert host.file("/var/lib/reconciler").mode == 0o700
    for path in ("/etc/reconciler/agent.env", "/var/lib/reconciler/sealing.key"):
        file = host.file(path)
        assert (file.user, file.group, file.mode) == ("root", "root", 0o600)
    assert host.file("/var/lib/reconciler/keys.json").user == "root"
    assert host.run(f"find /opt/reconciler /etc/systemd/system/{SERVICE}.service -perm /022 ! -type l").stdout == ""


def test_the_manifest_tells_of_the_agent_and_git_of_what_to_commit(ops: Ops, enrolled: Ran) -> None:
    manifest = (ops.root / "manifests/hosts/web-1.yaml").read_text()
    assert 'connection: {type: agent, sealingKey: "' in manifest
    assert "manifests/hosts/web-1.yaml now says connection.type: agent" in enrolled.out
    assert ops("validate").code == 0


def test_enrolling_again_changes_nothing(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    host = fleet.look("web-1")
    pid = host.check_output(f"systemctl show --property=MainPID --value {SERVICE}")
    ran = ops("hosts", "enroll", "web-1")
    assert (ran.code, ran.last_line.partition(",")[0]) == (0, "web-1: nothing to do"), ran.out
    assert host.check_output(f"systemctl show --property=MainPID --value {SERVICE}") == pid


def test_a_host_is_converged_with_its_secrets_where_nobody_can_log_in_any_more(
    fleet: Fleet, ops: Ops, enrolled: Ran
) -> None:
    ops.commit("web-1 has an agent")
    with ops.without_its_key():
        ran = ops("apply", "--yes", "--host", "web-1")
    assert ran.code == 0, ran.out
    assert fleet.look("web-1").file("/etc/greeting").content_string == "Hello from web-1, sesame\n"


def test_drift_is_found_and_healed_by_the_agent_alone(fleet: Fleet, enrolled: Ran) -> None:
    host = fleet.look("web-1")
    host.check_output("echo by hand > /etc/greeting")
    until(lambda: host.file("/etc/greeting").content_string == "Hello from web-1, sesame\n", "healing")


def test_an_apply_that_loses_redis_goes_on_and_is_told_afterwards(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    disk = fleet["web-1"].files
    ops.write("manifests/apps/slow.yaml", SLOW)
    ops.commit("something slow")
    with ops.running("apply", "--yes", "--host", "web-1") as apply:
        until((disk / "root/begun").exists, "the middle of the apply")
        fleet["web-1"].unplug()
        (disk / "root/go").touch()
        until((disk / "etc/slow").exists, "the end of the apply")
        fleet["web-1"].plug()
        apply.communicate()
    until(lambda: "2 in sync" in ops("status", "--host", "web-1").out, "the report")
    (ops.root / "manifests/apps/slow.yaml").unlink()
    ops.commit("nothing slow")


def test_the_agent_takes_little_memory_also_after_work(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    assert ops("run", "--host", "web-1", "--yes", "--command", "seq 1000000").code == 0
    taken = memory_bytes(fleet, "web-1")
    print(f"e2e: the agent takes {taken >> 20} MB")
    assert taken <= MOST_MEMORY_BYTES


def another_version(fleet: Fleet, version: str, *, broken: bool = False) -> dict[str, str]:
    """What has `reconcile` run from a copy of the program that calls itself another version."""
    copy = fleet.directory / f"version-{version}"
    shutil.copytree(PROJECT / "reconciler", copy / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    package = copy / "reconciler/__init__.py"
    package.write_text(package.read_text().replace('__version__ = "', f'__version__ = "{version}+'))
    if broken:
        serve = copy / "reconciler/cli/agent.py"
        serve.write_text(
            serve.read_text().replace("def _serve(", "def _serve(*_):\n    raise SystemExit(7)\n\ndef _old(")
        )
    return {"PYTHONPATH": str(copy)}


def test_an_upgrade_switches_to_the_new_version(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    host = fleet.look("web-1")
    before = host.file(CURRENT).linked_to
    with ops.told(another_version(fleet, "1")):
        ran = ops("hosts", "upgrade")
        assert ran.code == 0, ran.out
        assert "1+0.1.0" in host.file(CURRENT).linked_to
        assert "nothing to do" in ops("hosts", "upgrade", "web-1").out
    assert host.service(SERVICE).is_running
    assert Path(host.file(CURRENT).linked_to).name in host.check_output("ls /opt/reconciler/versions")
    assert Path(before).name in host.check_output("ls /opt/reconciler/versions")


def test_a_version_that_does_not_start_is_taken_back(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    host = fleet.look("web-1")
    before = host.file(CURRENT).linked_to
    with ops.told(another_version(fleet, "2", broken=True)):
        ran = ops("hosts", "upgrade", "web-1")
    assert ran.code == 3, ran.out
    assert "It went back to" in ran.out
    assert host.file(CURRENT).linked_to == before
    assert host.service(SERVICE).is_running


def test_the_agent_is_at_work_again_after_a_reboot(fleet: Fleet, ops: Ops, enrolled: Ran) -> None:
    boots = fleet["web-1"].boots
    fleet.look("web-1").run("systemctl reboot")
    until(lambda: fleet["web-1"].boots > boots, "the reboot")
    fleet["web-1"].wait_until_reachable()
    until(lambda: fleet.look("web-1").service(SERVICE).is_running, "the agent")


def test_an_enrolment_that_was_killed_is_completed_by_the_next_also_by_a_user_who_may_sudo(
    fleet: Fleet, ops: Ops
) -> None:
    host = fleet.look("web-2")
    with ops.running("hosts", "enroll", "web-2") as first:
        until(lambda: host.run("ls /opt/reconciler/versions/*/lib").rc == 0, "half an installation")
        first.kill()
    ran = ops("hosts", "enroll", "web-2")
    assert ran.code == 0, ran.out
    manifest = (ops.root / "manifests/hosts/web-2.yaml").read_text()
    assert "connection: {user: ops, become: true, type: agent, sealingKey: " in manifest
    assert host.service(SERVICE).is_running


def users(ops: Ops) -> set[str]:
    """Who may use the fleet's Redis."""
    with redis.Redis.from_url(ops.settings["RECONCILER_REDIS_URL"], decode_responses=True) as administrator:
        return set(administrator.acl_users())


def test_removing_an_agent_leaves_the_ledger_and_nothing_else(fleet: Fleet, ops: Ops) -> None:
    assert ops("hosts", "enroll", "web-2").code == 0
    fleet.look("web-2").check_output("echo kept > /var/lib/reconciler/ledger.json")
    assert "reconciler-web-2" in users(ops)
    ran = ops("hosts", "enroll", "web-2", "--remove")
    assert ran.code == 0, ran.out
    host = fleet.look("web-2")
    assert not [path for path in OWN if host.file(path).exists]
    assert host.check_output("ls -A /var/lib/reconciler") == "ledger.json"
    assert host.check_output("pgrep --full 'bin/[r]econcile' --count || true") == "0"
    assert not host.service(SERVICE).is_enabled
    assert "reconciler-web-2" not in users(ops)
    assert "connection: {user: ops, become: true, type: ssh}" in (ops.root / "manifests/hosts/web-2.yaml").read_text()
    assert "it has no agent" in ops("hosts", "enroll", "web-2", "--remove").out


def test_a_host_with_an_index_fetches_the_libraries_itself_when_asked(fleet: Fleet, ops: Ops) -> None:
    host = fleet.look("web-2")
    with shelf() as url:
        trusted = f"find-links = {url}\\ntrusted-host = {OPS_ADDRESS}"
        host.check_output(f"printf '[global]\\nno-index = true\\n{trusted}\\n' > /etc/pip.conf")
        ran = ops("hosts", "enroll", "web-2", "--online")
    assert ran.code == 0, ran.out
    assert host.service(SERVICE).is_running
    assert ops("hosts", "enroll", "web-2", "--remove", "--purge").code == 0


@contextmanager
def shelf() -> Iterator[str]:
    """A page that lists wheels, for the hosts."""
    wheels = next(cached_wheels().glob("cp3*"))
    serve = [sys.executable, "-m", "http.server", "--bind", OPS_ADDRESS, "--directory", str(wheels), "8000"]
    with subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: reachable(8000), "the page")
            yield f"http://{OPS_ADDRESS}:8000/"
        finally:
            process.kill()


def test_a_user_without_root_is_told_how_to_become_it(fleet: Fleet, ops: Ops) -> None:
    ran = ops("hosts", "enroll", "db-1")
    assert ran.code == 1
    assert "error: db-1: an agent is installed by root. Log in as root" in ran.out


def test_a_redis_that_the_host_does_not_see_is_found_before_anything_is_started(fleet: Fleet, ops: Ops) -> None:
    ran = ops("hosts", "enroll", "web-2", "--redis-url", f"redis://{OPS_ADDRESS}:1")
    assert ran.code == 3, ran.out
    assert "web-2: the agent could not work here" in ran.out
    assert not fleet.look("web-2").service(SERVICE).is_enabled
    assert ops("hosts", "enroll", "web-2", "--remove", "--purge").code == 0
    assert not fleet.look("web-2").file("/var/lib/reconciler").exists
