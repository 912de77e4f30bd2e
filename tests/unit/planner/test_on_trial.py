"""Apps that have to be confirmed reach hosts one app at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.model.manifests import Connection, ConnectionType, Manifests
from reconciler.model.observed import AppStatus
from reconciler.planner.on_trial import OnTrial, second_try_at
from tests.fakes.fleet import NOW, World, app, file, host, manifests

AGENT = Connection(type=ConnectionType.AGENT)
HOSTS = (host("a", connection=AGENT), host("b", connection=AGENT))
FIREWALL, ROUTES, MOTD = ("a", "firewall"), ("a", "routes"), ("a", "motd")
ALL = [FIREWALL, ("b", "firewall"), ROUTES, ("b", "routes"), MOTD]


def fleet(text: str = "one") -> Manifests:
    firewall = app("firewall", file("/etc/fw", text), confirm_seconds=60.0)
    routes = app("routes", file("/etc/routes"), confirm_seconds=60.0)
    return manifests(firewall, routes, app("motd", file("/etc/motd")), *HOSTS)


@pytest.fixture
def world() -> World:
    world = World()
    world.apply(fleet())
    return world


def trials(world: World, declared: Manifests, *at_work: tuple[str, str]) -> OnTrial:
    return OnTrial(declared, world.desired(declared), world.observed, at_work)


def test_the_first_app_by_name_goes_first_to_all_its_hosts(world: World) -> None:
    choices = list(trials(world, fleet()).choices(ALL))
    assert choices == [(FIREWALL, ("b", "firewall"), MOTD), (ROUTES, ("b", "routes"), MOTD), (MOTD,)]


def test_while_it_is_at_work_no_other_starts_and_it_says_why(world: World) -> None:
    found = trials(world, fleet(), FIREWALL)
    assert list(found.choices([ROUTES, MOTD])) == [(MOTD,)]
    assert found.waiting([ROUTES, MOTD]) == {ROUTES: "firewall to be confirmed on a"}


@pytest.mark.parametrize("status", [AppStatus.CONFIRMING, AppStatus.UNCONFIRMED])
def test_while_it_is_not_confirmed_no_other_starts(world: World, status: AppStatus) -> None:
    world.see_app("b", "firewall", status=status)
    assert trials(world, fleet()).waiting([ROUTES]) == {ROUTES: "firewall to be confirmed on b"}


def test_its_second_try_is_let_through(world: World) -> None:
    world.see_app("b", "firewall", status=AppStatus.UNCONFIRMED)
    assert next(trials(world, fleet()).choices([("b", "firewall"), ROUTES])) == (("b", "firewall"),)


def test_after_its_second_failure_the_others_go_on(world: World) -> None:
    world.see_app("b", "firewall", status=AppStatus.UNCONFIRMED)
    digest = world.observed["b"].apps["firewall"].digest
    world.see("b", rejected=frozenset({digest}))
    assert trials(world, fleet()).waiting([ROUTES]) == {}


def test_a_fix_of_it_is_let_through(world: World) -> None:
    world.see_app("b", "firewall", status=AppStatus.UNCONFIRMED)
    assert FIREWALL in next(trials(world, fleet("fixed")).choices(ALL))


def test_a_host_that_people_paused_holds_up_nobody(world: World) -> None:
    world.see_app("b", "firewall", status=AppStatus.UNCONFIRMED)
    world.see("b", paused={"*": "broken"})
    assert trials(world, fleet()).waiting([ROUTES]) == {}


def test_hosts_that_were_cut_off_together_are_tried_again_one_to_two_minutes_later_but_not_together() -> None:
    tries = [second_try_at(f"web-{number}", "firewall", "digest", NOW) - NOW for number in range(50)]
    assert all(timedelta(seconds=60) <= wait < timedelta(seconds=120) for wait in tries)
    assert max(tries) - min(tries) > timedelta(seconds=40)
