"""The local transport: a sandbox on this machine, reached in-process."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Claim
from reconciler.resources.protocol import Finished
from reconciler.transport import Transport
from reconciler.transport.local import LocalTransport
from tests.fakes.requests import request, wanted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "does" / "not" / "exist" / "yet"


@pytest.fixture
def transport(root: Path) -> Transport:
    return LocalTransport("host", "fleet", root, lambda: {"os": {"id": "debian"}}, SystemClock())


def test_an_app_is_applied_looked_at_and_read_back(transport: Transport, root: Path) -> None:
    wish = request(wanted("file", path="/etc/app/a", content="hello"), recovery={"bundle": "b"})
    *_, seen = transport.inspect(wish)
    assert isinstance(seen, Finished)
    assert seen.status == "drifted"
    *_, done = transport.apply(wish)
    assert isinstance(done, Finished)
    assert (done.status, done.changed) == ("converged", 1)
    assert (root / "etc/app/a").read_text() == "hello"
    *_, seen = transport.inspect(wish)
    assert isinstance(seen, Finished)
    assert (seen.status, seen.resources) == ("in-sync", done.resources)
    assert transport.ledger().apps["web"].recovery == {"bundle": "b"}
    transport.close()


def test_a_look_at_a_sandbox_that_is_not_there_makes_no_state(transport: Transport, root: Path) -> None:
    *_, seen = transport.inspect(request(wanted("file", path="/etc/a", content="a")))
    assert isinstance(seen, Finished)
    assert (seen.status, seen.changed) == ("drifted", 1)
    assert transport.ledger().apps == {}
    assert not root.exists()


def test_what_a_sandbox_cannot_have_is_refused_and_told(transport: Transport) -> None:
    for resource in (wanted("package", name="nginx"), wanted("file", path="/a", content="", owner="www-data")):
        *_, done = transport.apply(request(resource))
        assert isinstance(done, Finished)
        assert (done.status, done.code) in {("failed", "not-in-sandbox"), ("failed", "foreign-owner")}


def test_facts_come_from_whoever_measures_them(transport: Transport) -> None:
    assert transport.facts() == {"os": {"id": "debian"}}


def test_a_pause_is_remembered_and_a_busy_host_says_so(transport: Transport, root: Path) -> None:
    transport.pause("*", "moving house")
    assert transport.ledger().paused == {"*": "moving house"}
    with PosixSystem(str(root), clock=SystemClock()).exclusive(Claim(0, 0, "other")):
        with pytest.raises(Unavailable) as busy:
            transport.pause("*", "")
        assert busy.value.problems[0].code == "host-busy"
    transport.pause("*", "")
    assert transport.ledger().paused == {}


def test_a_root_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    transport = LocalTransport("host", "fleet", tmp_path / "file" / "root", dict, SystemClock())
    with pytest.raises(Unavailable):
        transport.ledger()
