"""From what manifests say of a host to the way there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.loops.hosts.reach import Reach
from reconciler.model.manifests import Connection, ConnectionType, Host
from reconciler.resources.measuring.readings import Readings
from reconciler.transport import Machine, Transport
from reconciler.transport.route import Route, Stop
from tests.fakes.fleet import app, group, host, manifests


class Asked(Exception):
    """The way that was asked for."""


def readings(at: float) -> Readings:
    return Readings(at, {"user": 1.0})


class Recorder:
    """Opens nothing."""

    def sample(self, route: Route, root: str, apps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        raise Asked(route, root)

    def open(self, route: Route, fleet: str, root: str) -> Transport:
        raise Asked(route, root)

    def approach(self, route: Route, fleet: str, root: str) -> None:
        raise Asked(route, root)

    def machine(self, route: Route, fleet: str) -> Machine:
        raise Asked(route, "machine")


def asked(name: str, *hosts: Host) -> tuple[Route, str]:
    reach = Reach(Path("/repository"), dict, SystemClock(), Recorder, readings)
    reach.show(manifests(*hosts))
    with pytest.raises(Asked) as found:
        reach.open(name)
    route, root = found.value.args
    return route, root


def ssh(name: str, *, root: str | None = None, **connection: object) -> Host:
    how = Connection(**connection)  # type: ignore[arg-type] # any of its fields
    return dataclasses.replace(host(name), address=f"{name}.example", connection=how, sandbox_root=root)


def test_a_host_is_reached_as_its_manifest_says() -> None:
    route, root = asked("a", ssh("a", user="deploy", port=2222, become=True, host_key="SHA256:x"))
    assert route == Route("a", Stop("a", "a.example", "deploy", 2222, "SHA256:x"), None, become=True)
    assert root == "/"


def test_what_the_manifest_leaves_open_stays_open() -> None:
    assert asked("a", ssh("a"))[0] == Route("a", Stop("a", "a.example"), None)


def test_a_sandbox_over_ssh_is_a_directory_there() -> None:
    assert asked("a", ssh("a", root="/srv/a"))[1] == "/srv/a"
    with pytest.raises(Unavailable, match="must be absolute"):
        reach(ssh("a", root="sandbox/a")).open("a")


def test_a_jump_host_of_the_fleet_brings_its_own_connection() -> None:
    edge = ssh("edge", user="jump", host_key="SHA256:edge", proxy_jump="ops@gate.example:22022")
    route, _ = asked("a", ssh("a", proxy_jump="edge"), edge)
    assert route.through == (
        Stop("ops@gate.example:22022", "gate.example", "ops", 22022),
        Stop("edge", "edge.example", "jump", None, "SHA256:edge"),
    )
    assert asked("a", ssh("a", proxy_jump="none"))[0].through == ()


@pytest.mark.parametrize("jump", ["b", "a b", "ops@"])
def test_a_way_that_leads_nowhere_is_told(jump: str) -> None:
    with pytest.raises(Unavailable) as error:
        reach(ssh("a", proxy_jump=jump), ssh("b", proxy_jump="a")).open("a")
    assert error.value.problems[0].code == "invalid-route"


def test_hosts_are_told_apart_by_how_they_are_reached() -> None:
    found = reach(ssh("a"), ssh("b", type=ConnectionType.LOCAL), ssh("c", type=ConnectionType.AGENT))
    assert found.local == ("b",)
    assert found.hosts == ("b", "a")
    assert [found.remote(name) for name in ("a", "b", "c")] == [True, False, False]
    with pytest.raises(Unavailable, match="its agent works on it"):
        found.open("c")


def test_a_group_that_comes_to_hold_a_host_by_another_selector_of_an_app_is_seen() -> None:
    one, how = host("a", {"env": "prod"}), Connection(ConnectionType.LOCAL)
    servers = group("servers", "app=web", connection=how)
    elsewhere = manifests(one, servers, app("web", hosts="env=test"))
    made = reach(one)
    found = []
    for declared in (elsewhere, dataclasses.replace(elsewhere, apps={"web": app("web", hosts="env=prod")})):
        made.show(declared)
        found.append(made.local)
    assert found == [(), ("a",)]


def test_a_host_is_approached_the_way_it_is_opened() -> None:
    with pytest.raises(Asked) as found:
        reach(ssh("a", root="/srv/a")).approach(["a"])
    assert found.value.args == asked("a", ssh("a", root="/srv/a"))


def test_what_is_wrong_with_a_way_is_told_when_the_host_is_opened() -> None:
    wrong = reach(ssh("a", root="sandbox/a"))
    wrong.approach(["a"])
    with pytest.raises(Unavailable, match="must be absolute"):
        wrong.open("a")


def reach(*hosts: Host) -> Reach:
    made = Reach(Path("/repository"), dict, SystemClock(), Recorder, readings)
    made.show(manifests(*hosts))
    return made
