"""Who is at the other end: host keys, logins, and hosts that cannot take us; nothing is sent before that is clear."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Problem, Unavailable
from reconciler.loops.hosts.crew import Crew
from reconciler.resources.channel.framing import MARKER
from reconciler.transport.route import Route, Stop
from reconciler.transport.ssh import Connections
from tests.integration.ssh.conftest import Sshd, SshFleet, keygen, know, route
from tests.waiting import until


def refused(connections: Connections, way: Route) -> Problem:
    with pytest.raises(Unavailable) as error:
        connections.open(way, "fleet")
    return error.value.problems[0]


def test_a_host_that_known_hosts_does_not_know_is_refused(sshd: Sshd, connections: Connections) -> None:
    (sshd.home / ".ssh" / "known_hosts").unlink()
    problem = refused(connections, route(sshd))
    assert problem.code == "host-key-unknown"
    assert str(problem) == (
        f"web-1: host key is {sshd.fingerprint} (ssh-ed25519), expected one from known_hosts, which has none. "
        "Compare it on its console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), "
        f"then set connection.hostKey: {sshd.fingerprint}. Nothing was sent."
    )


def test_a_host_whose_key_changed_is_refused_with_both_fingerprints(sshd: Sshd, connections: Connections) -> None:
    before = sshd.fingerprint
    sshd.stop()
    sshd.new_host_key()
    sshd.start()
    problem = refused(connections, route(sshd, host_key=before))
    assert problem.code == "host-key-changed"
    assert str(problem) == (
        f"web-1: host key is {sshd.fingerprint}, expected {before}. "
        "Rebuilt? Check its console, then update connection.hostKey. Nothing was sent."
    )
    problem = refused(connections, route(sshd))
    assert problem.code == "host-key-changed"
    assert f"host key is {sshd.fingerprint}, expected {before}" in problem.message
    assert "ssh-keygen -R" in problem.hint


def test_the_manifests_key_counts_instead_of_known_hosts(sshd: Sshd, connections: Connections) -> None:
    (sshd.home / ".ssh" / "known_hosts").unlink()
    public = (sshd.directory / "host_ed25519.pub").read_text().strip()
    for key in (sshd.fingerprint, public):
        connections.open(route(sshd, host_key=key), "fleet").close()
    problem = refused(connections, route(sshd, host_key="my key"))
    assert problem.code == "invalid-host-key"


def test_a_fingerprint_of_any_of_the_hosts_keys_will_do(sshd: Sshd, connections: Connections) -> None:
    for kind in ("ecdsa", "rsa"):
        keygen(sshd.directory / f"host_{kind}", kind)
    sshd.restart()
    for kind in ("ecdsa", "rsa", "ed25519"):
        key = sshd.fingerprint_of(sshd.directory / f"host_{kind}")
        connections.open(route(sshd, kind, host_key=key), "fleet").close()
    assert refused(connections, route(sshd, host_key="SHA256:none")).code == "host-key-changed"


def test_known_hosts_may_hold_hashed_names_and_another_type(sshd: Sshd, connections: Connections) -> None:
    keygen(sshd.directory / "host_rsa", "rsa")
    sshd.restart()
    kind, text, *_ = (sshd.directory / "host_rsa.pub").read_text().split()
    known = sshd.home / ".ssh" / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sshd.port} {kind} {text}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert known.read_text().startswith("|1|")
    connections.open(route(sshd), "fleet").close()


def test_a_revoked_key_never_passes(sshd: Sshd, connections: Connections) -> None:
    known = sshd.home / ".ssh" / "known_hosts"
    known.write_text(known.read_text() + "@revoked " + known.read_text())
    assert "is revoked" in refused(connections, route(sshd)).message


def test_a_key_that_the_host_does_not_know_is_refused(sshd: Sshd, connections: Connections) -> None:
    own = sshd.home / ".ssh" / "id_ed25519"
    own.unlink()
    keygen(own)
    problem = refused(connections, route(sshd))
    assert problem.code == "login-refused"
    assert str(own) in problem.message
    assert "authorized_keys" in problem.hint


def test_where_no_key_is_found_it_is_told_where_it_was_looked_for(sshd: Sshd, connections: Connections) -> None:
    own = sshd.home / ".ssh" / "id_ed25519"
    own.unlink()
    problem = refused(connections, route(sshd))
    assert "with no key at all" in problem.message
    assert str(own) in problem.hint


def test_a_user_that_the_host_does_not_have_is_refused(sshd: Sshd, connections: Connections) -> None:
    problem = refused(connections, route(sshd, user="nobody-here"))
    assert problem.code == "login-refused"
    assert "does not let nobody-here in" in problem.message


def test_a_key_with_a_passphrase_is_told(sshd: Sshd, connections: Connections) -> None:
    own = sshd.home / ".ssh" / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret words", "-f", own], check=True)
    assert "needs a passphrase: ssh-add it" in refused(connections, route(sshd)).message


def test_keys_of_ssh_agent_are_tried(
    sshd: Sshd, connections: Connections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("there is no ssh-agent here")
    own = sshd.home / ".ssh" / "id_ed25519"
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        until(socket.exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", own], check=True)
        own.unlink()
        connections.open(route(sshd), "fleet").close()
    finally:
        agent.terminate()
        agent.wait()


def test_the_users_ssh_config_says_what_manifests_leave_open(sshd: Sshd) -> None:
    own = sshd.home / ".ssh" / "id_ed25519"
    own.rename(sshd.home / "another_key")
    (sshd.home / ".ssh" / "known_hosts").rename(sshd.home / "known")
    (sshd.home / ".ssh" / "config").write_text(
        f"Host web\n  HostName 127.0.0.1\n  Port {sshd.port}\n"
        f"  IdentityFile {sshd.home}/another_key\n  UserKnownHostsFile {sshd.home}/known\n"
    )
    connections = Connections(SystemClock())
    connections.open(Route("web-1", Stop("web-1", "web")), "fleet").close()
    connections.close()


def test_a_jump_host_is_gone_through_and_its_key_is_verified_too(sshd: Sshd, connections: Connections) -> None:
    jump = Stop("bastion", "127.0.0.1", None, sshd.port)
    host = Stop("web-1", "localhost", None, sshd.port, sshd.fingerprint)
    way = Route("web-1", host, (jump,))
    connections.open(way, "fleet").close()
    (sshd.home / ".ssh" / "known_hosts").unlink()
    fresh = Connections(SystemClock())
    problem = refused(fresh, way)
    fresh.close()
    assert problem.code == "host-key-unknown"
    assert str(problem).startswith("web-1: by way of bastion: host key is ")


def test_a_jump_host_of_the_users_config_is_gone_through(sshd: Sshd) -> None:
    (sshd.home / ".ssh" / "config").write_text(
        f"Host bastion\n  HostName 127.0.0.1\n  Port {sshd.port}\nHost 127.0.0.1\n  ProxyJump bastion\n"
    )
    connections = Connections(SystemClock())
    connections.open(route(sshd), "fleet").close()
    assert len(sshd.sessions()) == 2
    connections.close()


def test_a_host_without_python_names_the_package(sshd: Sshd, connections: Connections) -> None:
    sshd.restart(with_path("/nonexistent"))
    problem = refused(connections, route(sshd))
    assert problem.code == "no-python"
    assert "there is no python3" in problem.message
    assert "apt-get install python3" in problem.hint


def test_a_host_with_an_old_python_says_so(sshd: Sshd, connections: Connections, tmp_path: Path) -> None:
    python = an_old_python()
    if python is None:
        pytest.skip("there is no old Python here")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(python)
    sshd.restart(with_path(f"{tmp_path}/bin:/usr/bin:/bin"))
    problem = refused(connections, route(sshd))
    assert problem.code == "old-python"
    assert "3.9 is the oldest" in problem.message


def with_path(path: str) -> str:
    """The line that gives sessions another PATH, whatever the user's shell makes of it."""
    return f'ForceCommand PATH={path}; export PATH; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'


def an_old_python() -> Path | None:
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return next(home.glob(".pyenv/versions/3.[678].*/bin/python3"), None)


def test_what_a_login_shell_prints_is_no_answer(sshd: Sshd, connections: Connections) -> None:
    chatter = 'ForceCommand echo "Welcome to $USER"; echo; head -c 100000 /dev/zero; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    sshd.restart(chatter)
    transport = connections.open(route(sshd), "fleet")
    assert transport.facts()["os"]["id"]
    transport.close()


ODD_ANSWERS = [
    ("send('{}')\n" * 2 + "send(END)", "it gave 2 answers where there is one"),
    ("send(END)", "it gave 0 answers where there is one"),
    ("while True: send(LONG)", "it answered without end"),
    ("send('{\"facts\": [' + '{},' * 5_000_000 + '1]}')", "it sent a message of more than 4000000 values"),
]


@pytest.mark.parametrize(("says", "told"), ODD_ANSWERS)
def test_a_host_that_answers_anything_is_not_listened_to_for_long(
    sshd: Sshd, connections: Connections, tmp_path: Path, says: str, told: str
) -> None:
    (tmp_path / "host.py").write_text(
        "import struct, sys, time\n"
        "LONG, END = '{\"x\": \"' + 'x' * 16_000_000 + '\"}', '{\"end\": true}'\n"
        "def send(text):\n"
        "    sys.stdout.buffer.write(struct.pack('>I', len(text)) + text.encode())\n"
        f"sys.stdout.buffer.write({MARKER!r})\n{says}\nsys.stdout.buffer.flush()\ntime.sleep(60)\n"
    )
    sshd.restart(f"ForceCommand {sys.executable} {tmp_path}/host.py")
    assert told in refused(connections, route(sshd)).message


def test_a_shell_that_runs_nothing_is_told_with_its_words(sshd: Sshd, connections: Connections) -> None:
    sshd.restart("ForceCommand echo This account is closed. >&2; exit 1")
    problem = refused(connections, route(sshd))
    assert problem.code == "start-failed"
    assert "This account is closed." in problem.message


def test_a_host_that_fails_is_named_once(fleet: SshFleet, sshd: Sshd) -> None:
    before = sshd.fingerprint
    sshd.stop()
    sshd.new_host_key()
    sshd.start()
    ran = fleet("verify")
    assert ran.code == 3
    assert f"host key is {sshd.fingerprint}, expected {before}" in ran.out
    know(sshd)
    assert fleet("apply", "--yes").code == 0


def test_a_jump_host_that_is_gone_is_named_and_tried_again(sshd: Sshd, connections: Connections) -> None:
    jump = Stop("bastion", "127.0.0.1", None, sshd.port)
    way = Route("web-1", Stop("web-1", "127.0.0.1", None, sshd.port), (jump,))
    sshd.stop()
    problem = refused(connections, way)
    assert str(problem).startswith("web-1: by way of bastion: cannot reach 127.0.0.1 port ")
    sshd.start()
    connections.open(way, "fleet").close()


def test_hosts_behind_a_jump_host_share_one_connection_to_it(sshd: Sshd, connections: Connections) -> None:
    jump = Stop("bastion", "127.0.0.1", None, sshd.port)
    ways = [Route(name, Stop(name, "127.0.0.1", None, sshd.port), (jump,)) for name in ("a", "b", "c")]

    def visit(name: str) -> None:
        connections.open(next(way for way in ways if way.host == name), "fleet").close()

    Crew(lambda _: True).each(visit, ["a", "b", "c"])
    assert len(sshd.sessions()) == 4
