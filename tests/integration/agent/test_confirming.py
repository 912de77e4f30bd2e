"""What an agent applies on trial stands once a new connection reaches Redis, and is taken back where none does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.model.observed import AppStatus
from reconciler.model.work import mark_of
from reconciler.planner.scope import WHOLE_FLEET
from reconciler.settings import load
from reconciler.store import CONTROL, ReconcileRequest, host_lease
from reconciler.store.connect import connect
from reconciler.wiring.session import Access, open_session
from tests.integration.agent.conftest import Fleet
from tests.integration.agent.test_converging import heard
from tests.integration.cli.test_watching import watching
from tests.integration.store.servers import valkey
from tests.ports import free_port
from tests.waiting import until

PASSWORD = "password of edge-1\n"
LOGIN = """apiVersion: reconciler/v1
kind: App
metadata: {name: login}
spec:
  hosts: role=edge
  confirm: 10s
  adopt: replace
  config: {password: "password of edge-1"}
  resources:
    - file: {path: /etc/redis-password, content: "{{ password }}\\n", mode: "0600"}
"""


SLOW = """apiVersion: reconciler/v1
kind: App
metadata: {name: slow}
spec:
  hosts: role=edge
  resources:
    - command: {argv: [sh, -c, "WAIT"]}
    - file: {path: /etc/slow, content: done}
"""


class Server:
    """A Valkey that can be switched off and on, and keeps what it holds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._running = ExitStack()
        self.url = ""

    def on(self) -> None:
        options = ["--appendonly", "yes", "--appendfsync", "always"]
        self.url = self._running.enter_context(valkey(self._directory, *options, port=self._port))

    @property
    def pid(self) -> int:
        link = connect(self.url, SystemClock())
        info: bytes = link.ask_primaries("INFO")[0]
        link.close()
        return int(info.partition(b"process_id:")[2].split()[0])

    def off(self) -> None:
        self._running.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.on()
    yield server
    server.off()


@pytest.fixture
def server_url(server: Server) -> str:
    return server.url


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """The agent of edge-1 reads its password where the app `login` writes it."""
    edge = fleet.edges["edge-1"]
    edge.file("/etc").mkdir()
    edge.file("/etc/redis-password").write_text(PASSWORD)
    edge.environment["RECONCILER_REDIS_PASSWORD_FILE"] = str(edge.file("/etc/redis-password"))
    fleet.ops.write("manifests/apps/login.yaml", LOGIN)
    (fleet.ops.root / "manifests/hosts/edge-2.yaml").unlink()
    fleet.ops.commit("login")
    return fleet


def status_of(fleet: Fleet, app: str = "login") -> AppStatus | None:
    """How Redis knows the app to be."""
    host = fleet.store.observed.read(["edge-1"]).get("edge-1")
    known = host.apps.get(app) if host else None
    return known.status if known else None


def test_what_leaves_the_host_in_touch_is_confirmed_within_the_same_apply(fleet: Fleet) -> None:
    with fleet.edges["edge-1"].serving():
        until(lambda: heard(fleet, "edge-1"))
        fleet.ops.replace("manifests/apps/login.yaml", "0600", "0640")
        ran = fleet.ops("apply", "--yes", "--allow-dirty")
        assert ran.code == 0, ran.out + ran.err
        assert status_of(fleet) is AppStatus.CONVERGED
        assert fleet.edges["edge-1"].file("/etc/redis-password").stat().st_mode & 0o777 == 0o640


def test_an_old_connection_that_lives_on_confirms_nothing(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        fleet.ops.replace("manifests/apps/login.yaml", 'password: "password of edge-1"', "password: wrong")
        ran = fleet.ops("apply", "--yes", "--allow-dirty")
        assert ran.code == 3
        assert "applied, but the host has not reached Redis over a new connection yet" in ran.out
        assert edge.text("/etc/redis-password") == "wrong\n"

        until(lambda: edge.text("/etc/redis-password") == PASSWORD, "the way back")
        until(lambda: status_of(fleet) is AppStatus.UNCONFIRMED)
        status = fleet.ops("status").out
        assert "Redis could not be reached for 10 s after the apply, so it was taken back" in status
        assert "tried once more" in status
        assert "unconfirmed" in fleet.ops("history").out


def test_one_app_is_on_trial_at_a_time_and_what_was_taken_back_is_tried_once_more(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    fleet.ops.write("manifests/apps/routes.yaml", LOGIN.replace("login", "routes").replace("redis-password", "routes"))
    with edge.serving(), watching(fleet.ops):
        until(lambda: edge.file("/etc/routes").exists())
        fleet.ops.replace("manifests/apps/login.yaml", 'password: "password of edge-1"', "password: wrong")
        until(lambda: edge.text("/etc/redis-password") == "wrong\n", "the first try")
        fleet.ops.replace("manifests/apps/routes.yaml", "0600", "0640")

        def taken_back() -> bool:
            other = mode(edge.file("/etc/routes"))
            over = status_of(fleet) is AppStatus.UNCONFIRMED
            assert over or other == 0o600, "another app with confirm waits for it"
            return over

        until(taken_back, "the way back")
        assert edge.text("/etc/redis-password") == PASSWORD
        assert fleet.store.work.states([("edge-1", mark_of("login"))]) == [None], "it is not tried again at once"
        assert "tried once more" in fleet.ops("status").out

        grow_old(fleet, timedelta(minutes=2))
        until(lambda: edge.text("/etc/redis-password") == "wrong\n", "the second try")
        until(lambda: edge.text("/etc/redis-password") == PASSWORD, "the way back")
        until(lambda: "it cut this host off from Redis twice" in fleet.ops("--dry-run").out)
        until(lambda: mode(edge.file("/etc/routes")) == 0o640, "the other app")


def test_a_trial_that_began_after_the_plan_was_made_keeps_other_apps_waiting(fleet: Fleet) -> None:
    fleet.ops.write("manifests/apps/routes.yaml", LOGIN.replace("login", "routes").replace("redis-password", "routes"))
    with fleet.edges["edge-1"].serving():
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--allow-dirty").code == 0
    for app in ("login", "routes"):
        fleet.ops.replace(f"manifests/apps/{app}.yaml", "0600", "0640")

    with open_session(load(fleet.ops.root, os.environ), Access.WRITE) as session:
        situation = session.planning.plan(session.tree(), WHOLE_FLEET)
        digest = situation.desired.hosts["edge-1"]["login"].digest
        note(fleet, "login", digest=digest, status=AppStatus.CONFIRMING)

        control = session.store.leases.acquire(CONTROL, "a test", 60.0)
        assert control
        controller = session.controller("example")
        released = controller.release(situation, situation.observed, [("edge-1", "routes")], control.term)

    assert situation.due == (("edge-1", "login"), ("edge-1", "routes"))
    assert released.pairs == ()


def note(fleet: Fleet, app: str, **changed: Any) -> None:
    """Let Redis know otherwise of an app than its agent has told."""
    lease = fleet.store.leases.acquire(host_lease("edge-1"), "someone", 1.0, take_over=True)
    assert lease
    known = fleet.store.observed.read(["edge-1"])["edge-1"].apps[app]
    assert fleet.store.observed.write("edge-1", {app: (replace(known, **changed), None)}, lease.term)
    fleet.store.leases.release(lease)


def grow_old(fleet: Fleet, by: timedelta) -> None:
    """Let the run that was taken back have ended so much earlier."""
    finished_at = fleet.store.observed.read(["edge-1"])["edge-1"].apps["login"].finished_at
    assert finished_at
    note(fleet, "login", finished_at=finished_at - by)
    fleet.store.fleet.request_reconcile(ReconcileRequest("01K", "someone", "", "look anew"))


def test_an_apply_that_redis_leaves_alone_ends_and_is_told_afterwards(
    fleet: Fleet, server: Server, tmp_path: Path
) -> None:
    edge = fleet.edges["edge-1"]
    for app in ("hello", "login"):
        (fleet.ops.root / f"manifests/apps/{app}.yaml").unlink()
    wait = f"touch {tmp_path}/begun; until test -e {tmp_path}/go; do sleep 0.1; done"
    fleet.ops.write("manifests/apps/slow.yaml", SLOW.replace("WAIT", wait))
    with edge.serving() as agent:
        until(lambda: heard(fleet, "edge-1"))
        with fleet.ops.beside("apply", "--yes", "--allow-dirty") as apply:
            until((tmp_path / "begun").exists)
            server.off()
            (tmp_path / "go").touch()
            until(lambda: edge.text("/etc/slow") == "done")
            apply.ends()
        assert agent.running

        server.on()
        fleet.store.users.set("edge-1", f">{PASSWORD.strip()}")
        until(lambda: status_of(fleet, "slow") is AppStatus.CONVERGED, "the report")


def test_while_redis_is_away_the_host_goes_back_by_itself_and_tells_when_it_is_there_again(
    fleet: Fleet, server: Server
) -> None:
    edge = fleet.edges["edge-1"]
    fleet.ops.replace(
        "manifests/apps/login.yaml",
        "    - file: ",
        f"    - command: {{argv: [kill, '-KILL', '{server.pid}']}}\n    - file: ",
    )
    fleet.ops.replace("manifests/apps/login.yaml", "0600", "0640")
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        ran = fleet.ops("apply", "--yes", "--allow-dirty")
        assert ran.code != 0, ran.out
        until(lambda: mode(edge.file("/etc/redis-password")) == 0o640, "the apply")
        until(lambda: mode(edge.file("/etc/redis-password")) == 0o644, "the way back")

        server.off()
        server.on()
        fleet.store.users.set("edge-1", f">{PASSWORD.strip()}")
        until(lambda: status_of(fleet) is AppStatus.UNCONFIRMED, "the report")
        assert fleet.store.work.states([("edge-1", mark_of("login"))]) == [None], "it is not applied again at once"
        assert "unconfirmed" in fleet.ops("history").out


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777
