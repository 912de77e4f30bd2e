"""Changes that wait for a Freeze to end, and what goes on meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from reconciler.model.manifests import App, Manifests
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.observed import AppStatus, Drift
from reconciler.model.schedules import Freeze
from reconciler.model.selector import Selector
from reconciler.model.times import Weekly, Window
from reconciler.planner.scope import Scope
from tests.fakes.fleet import NOW, World, app, file, host, manifests

HOUR = timedelta(hours=1)
OLD, NEW = app("web", file("/etc/a", "old")), app("web", file("/etc/a", "new"))
HELD = "freeze holidays until 2026-01-02 04:04 UTC: nobody is there"


def freeze(hosts: str = "*", **fields: Any) -> Freeze:
    fields.setdefault("window", Window(NOW - HOUR, NOW + HOUR))
    metadata = Metadata("holidays", Origin("", 0))
    return Freeze(metadata, reason="nobody is there", hosts=Selector.parse(hosts), **fields)


def fleet(thing: App | None, *freezes: Freeze) -> Manifests:
    things = (thing,) if thing else ()
    declared = manifests(host("web-1", {"env": "prod"}), *things)
    return replace(declared, freezes={each.name: each for each in freezes})


@pytest.fixture
def world() -> World:
    world = World()
    world.apply(fleet(OLD))
    return world


def held(world: World, declared: Manifests, scope: Scope | None = None) -> str:
    (plan,) = world.plan(declared, scope=scope).apps
    return plan.held


def test_a_change_waits_and_says_for_what(world: World) -> None:
    assert held(world, fleet(NEW, freeze())) == HELD


def test_a_new_app_and_one_that_leaves_wait_too(world: World) -> None:
    assert held(World(), fleet(NEW, freeze())) == HELD
    assert held(world, fleet(None, freeze())) == HELD


def test_before_and_after_nothing_waits(world: World) -> None:
    for window in (Window(NOW - 2 * HOUR, NOW), Window(NOW + HOUR, NOW + 2 * HOUR)):
        assert held(world, fleet(NEW, freeze(window=window))) == ""


def test_times_of_the_week_hold_while_they_last(world: World) -> None:
    friday = Weekly(frozenset({4}), ((time(3), time(4)),))
    assert held(world, fleet(NEW, freeze(window=Window(weekly=(friday,))))) == "freeze holidays: nobody is there"
    assert held(world, fleet(NEW, freeze(window=Window(weekly=(replace(friday, weekdays=frozenset({3})),))))) == ""


@pytest.mark.parametrize("other", [freeze("env=demo"), freeze(apps=frozenset({"db"})), freeze("app=db")])
def test_other_hosts_and_apps_do_not_wait(world: World, other: Freeze) -> None:
    assert held(world, fleet(NEW, other)) == ""


@pytest.mark.parametrize("same", [freeze("env=prod"), freeze(apps=frozenset({"web"})), freeze("app=web")])
def test_the_hosts_and_apps_that_are_meant_wait(world: World, same: Freeze) -> None:
    assert held(world, fleet(NEW, same)) == HELD


def test_drift_is_healed_and_a_failed_run_is_tried_again(world: World) -> None:
    world.see_app("web-1", "web", drift=(Drift("file:/etc/a", "change"),))
    assert held(world, fleet(OLD, freeze())) == ""
    world.see_app("web-1", "web", drift=(), status=AppStatus.FAILED)
    assert held(world, fleet(OLD, freeze())) == ""


def test_naming_the_app_is_not_enough_overriding_is(world: World) -> None:
    named = Scope(apps=frozenset({"web"}))
    assert held(world, fleet(NEW, freeze()), named) == HELD
    assert held(world, fleet(NEW, freeze()), replace(named, override_freeze=True)) == ""
