"""How real hosts are reached over SSH: with which keys, through whom, as whom, and what each refusal tells to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from reconciler.resources.channel.remote import SILENCE_SECONDS
from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops, Ran
from tests.waiting import until

NAMES = ("bastion", "inner", "plain")
APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: greeting}
spec:
  hosts: "*"
  verifyEvery: 24h
  config: {word: nothing yet}
  resources:
    - file: {path: /etc/greeting, content: "{{ word }}\\n"}
"""
SLOW = """\
    - command: {argv: [sh, -c, "touch /run/slow; sleep 600"], timeout: 15m}
      name: slow
"""
SUDOERS = "/etc/sudoers.d/ops"
AS_OPS = "{user: ops, become: true}"
FAR_END = "python3 -[I] -S"
"""By which `pgrep --full` finds our process on a host."""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with booted(*NAMES) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def made(fleet: Fleet) -> Ops:
    ops = Ops(fleet.directory / "ops", fleet)
    ops.write("manifests/fleet.yaml", FLEET.replace("spec: {}", "spec: {sampleInterval: 1h}"))  # nobody talks by itself
    ops.write("manifests/app.yaml", APP)
    for name in NAMES:
        ops.host(fleet, name, "")
    ops.commit("three hosts")
    return ops


@pytest.fixture
def ops(made: Ops) -> Iterator[Ops]:
    """Whose manifests are as they were afterwards."""
    before = made.git("rev-parse", "HEAD")
    yield made
    made.git("reset", "--quiet", "--hard", before)


def greet(ops: Ops, host: str, word: str) -> Ran:
    """Apply a file with this word on the host."""
    ops.replace("manifests/app.yaml", "nothing yet", word)
    return ops("apply", "--yes", "--allow-dirty", "--host", host)


def greeting(fleet: Fleet, host: str) -> str:
    """The word on the host's disk, seen from outside."""
    path = fleet[host].files / "etc/greeting"
    return path.read_text().strip() if path.exists() else ""


@contextmanager
def no_way_to(fleet: Fleet, host: str) -> Iterator[None]:
    """From here nothing reaches the host while the block runs; its neighbours do."""
    route = ("unreachable", f"{fleet[host].address}/32")
    subprocess.run(["ip", "route", "add", *route], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "route", "delete", *route], check=True)


def test_a_host_behind_another_is_reached_through_it_with_both_keys_verified(fleet: Fleet, ops: Ops) -> None:
    with no_way_to(fleet, "inner"):
        ran = greet(ops, "inner", "straight")
        assert ran.code == 3, ran.out
        assert "cannot reach" in ran.line_of("inner")

        ops.host(fleet, "inner", "", "{proxyJump: bastion, user: ops, become: true}")
        assert ops("apply", "--yes", "--allow-dirty", "--host", "inner").code == 0
        assert greeting(fleet, "inner") == "straight"

        ops.host(fleet, "bastion", "", f"{{hostKey: 'SHA256:{'A' * 43}'}}")
        ops.replace("manifests/app.yaml", "straight", "by way of a stranger")
        ran = ops("apply", "--yes", "--allow-dirty", "--host", "inner")
        assert ran.code == 3, ran.out
        assert "by way of bastion: host key is SHA256:" in ran.out
        assert greeting(fleet, "inner") == "straight"


def test_a_key_that_only_ssh_agent_holds_lets_in(fleet: Fleet, ops: Ops) -> None:
    with ops.without_its_key():
        ran = greet(ops, "plain", "by the agent's key")
        assert ran.code == 3, ran.out
        assert "does not let root in with no key at all" in ran.out
    with ops.key_in_agent():
        ran = ops("apply", "--yes", "--allow-dirty", "--host", "plain")
    assert ran.code == 0, ran.out
    assert greeting(fleet, "plain") == "by the agent's key"


def test_the_users_ssh_config_says_what_the_manifest_leaves_open(fleet: Fleet, ops: Ops) -> None:
    address = fleet["plain"].address
    ops.replace("manifests/hosts/plain.yaml", f"address: {address}", "address: by-another-name")
    known = ops.write_ssh("known_to_config", f"by-another-name {fleet['plain'].host_key}\n")
    config = f"Host by-another-*\n  HostName {address}\n  HostKeyAlias by-another-name\n  User ops\n"
    with ops.without_its_key() as key:
        ops.write_ssh("config", f"{config}  IdentityFile {key}\n  UserKnownHostsFile {known}\n")
        ran = ops("run", "--host", "plain", "--yes", "--command", "--", "sh", "-c", "echo I am $(id -un)")
    ops.write_ssh("config", "")
    assert ran.code == 0, ran.out
    assert "I am ops" in ran.out


def test_sudo_that_asks_for_a_password_is_told_with_the_rule_that_mends_it(fleet: Fleet, ops: Ops) -> None:
    rules = fleet["plain"].files / SUDOERS.lstrip("/")
    before = rules.read_text()
    ops.host(fleet, "plain", "", AS_OPS)
    rules.write_text("ops ALL=(ALL) ALL\n")
    ran = greet(ops, "plain", "with sudo")
    assert ran.code == 3, ran.out
    assert "sudo -n is refused: sudo: a password is required" in ran.out
    assert greeting(fleet, "plain") != "with sudo"

    (rule,) = {line.partition("allow it: ")[2] for line in ran.out.splitlines() if "allow it: " in line}
    rules.write_text(f"{rule}\n")
    assert ops("apply", "--yes", "--allow-dirty", "--host", "plain").code == 0
    assert greeting(fleet, "plain") == "with sudo"
    rules.write_text(before)


@pytest.mark.parametrize("connection", ["{}", AS_OPS])
def test_a_host_without_python_is_told_the_package_and_holds_up_nobody(fleet: Fleet, ops: Ops, connection: str) -> None:
    python = fleet["plain"].files / "usr/bin/python3"
    away = python.rename(python.with_name("away"))
    ops.host(fleet, "plain", "", connection)
    word = f"without Python {connection}"
    ops.replace("manifests/app.yaml", "nothing yet", f"'{word}'")
    ran = ops("apply", "--yes", "--allow-dirty")
    away.rename(python)
    assert ran.code == 3, ran.out
    assert "there is no python3" in ran.line_of("plain"), ran.out
    assert "Install it: apt-get install python3" in ran.out
    assert greeting(fleet, "plain") != word
    assert greeting(fleet, "bastion") == greeting(fleet, "inner") == word


def end_far_end(fleet: Fleet) -> None:
    """Kill our process on the host."""
    fleet.look("plain").check_output(f"pkill -KILL --full '{FAR_END}'")


def unplug(fleet: Fleet) -> None:
    """Cut the network."""
    fleet["plain"].unplug()


@pytest.mark.parametrize("cut", [end_far_end, unplug], ids=["an executor killed on the host", "a cut network"])
def test_an_apply_that_ends_in_its_middle_is_noticed_and_taken_over_by_the_next(
    fleet: Fleet, ops: Ops, cut: Callable[[Fleet], None]
) -> None:
    plain = fleet.look("plain")
    plain.run("rm -f /run/slow")
    ops.replace("manifests/app.yaml", "  resources:\n", f"  resources:\n{SLOW}")
    with ops.running("apply", "--yes", "--allow-dirty", "--host", "plain") as applying:
        until(lambda: plain.file("/run/slow").exists, "the slow step")
        cut(fleet)
        out, _ = applying.communicate()
    assert applying.returncode == 3, out
    assert "the connection was lost" in Ran(3, out).line_of("plain")

    fleet["plain"].plug()
    assert fleet.look("plain").process.filter(comm="sleep"), "nobody has ended yet what was left running"
    ops.git("checkout", "--quiet", ".")
    ran = greet(ops, "plain", f"after {cut.__name__}")
    assert ran.code == 0, ran.out
    assert greeting(fleet, "plain") == f"after {cut.__name__}"
    assert not fleet.look("plain").process.filter(comm="sleep")


def test_an_idle_connection_is_kept_and_one_that_broke_is_made_anew(fleet: Fleet, ops: Ops) -> None:
    def far_ends() -> list[str]:
        pids: str = fleet.look("plain").run(f"pgrep --full '{FAR_END}'").stdout
        return pids.split()

    ops.replace("manifests/app.yaml", "nothing yet", "first")
    ops.commit("first")
    with ops.watching():
        until(lambda: greeting(fleet, "plain") == "first", "the first word")
        until(lambda: len(far_ends()) == 1, "one connection for all that is asked of it")
        (before,) = far_ends()
        older = f"test $(ps -o etimes= -p {before}) -gt {SILENCE_SECONDS + 5:.0f}"
        until(lambda: before not in far_ends() or fleet.look("plain").run(older).rc == 0, "more idling than it bears")
        assert far_ends() == [before]

        end_far_end(fleet)
        ops.replace("manifests/app.yaml", "first", "second")
        ops.commit("second")
        until(lambda: greeting(fleet, "plain") == "second", "the second word")
        assert far_ends() != [before]
    until(lambda: not far_ends(), "the end of the far end")


def test_a_host_that_is_unknown_or_was_rebuilt_gets_nothing_until_its_key_is_confirmed(fleet: Fleet, ops: Ops) -> None:
    host = fleet["plain"]
    host.pull_power()
    before, after = host.fingerprint, host.new_key()
    host.switch_on()
    host.wait_until_reachable()
    changed = greet(ops, "plain", "rebuilt")
    assert changed.code == 3, changed.out
    assert f"host key is {after}, expected {before}" in changed.out
    assert "Rebuilt? Check its console" in changed.out
    assert "Nothing was sent" in changed.out

    ops.write_ssh("known_hosts", "")
    unknown = ops("apply", "--yes", "--allow-dirty", "--host", "plain")
    assert unknown.code == 3, unknown.out
    assert f"host key is {after} (ssh-ed25519), expected one from known_hosts, which has none" in unknown.out
    assert f"then set connection.hostKey: {after}" in unknown.out
    assert greeting(fleet, "plain") != "rebuilt"

    ops.host(fleet, "plain", "", f"{{hostKey: '{after}'}}")
    assert ops("apply", "--yes", "--allow-dirty", "--host", "plain").code == 0
    assert greeting(fleet, "plain") == "rebuilt"
