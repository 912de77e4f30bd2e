"""Which apps on which hosts have something to do, told without rendering anything."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.manifests import Manifests
from reconciler.model.observed import AppStatus, Drift
from reconciler.planner.due import Due, due, why_due
from reconciler.planner.scope import Scope
from tests.fakes.fleet import World, app, file, host, manifests

SECRET = app("web", file("/etc/a", "{{ password }}"), config={"password": {"secret": "web/password"}})


def pairs(world: World, declared: Manifests, scope: Scope | None = None) -> tuple[tuple[str, str], ...]:
    return due(world.desired(declared), world.observed, world.secrets, scope or Scope())


def test_an_app_that_was_never_applied_is_due(world: World) -> None:
    assert pairs(world, manifests(app("web"), host("b"), host("a"))) == (("a", "web"), ("b", "web"))


def test_an_app_that_stands_as_wanted_is_not(world: World) -> None:
    declared = manifests(app("web"), host("a"))
    world.apply(declared)
    assert pairs(world, declared) == ()


@pytest.mark.parametrize("status", [status for status in AppStatus if status is not AppStatus.CONVERGED])
def test_an_app_whose_last_run_did_not_converge_is_due(world: World, status: AppStatus) -> None:
    declared = manifests(app("web"), host("a"))
    world.apply(declared)
    world.see_app("a", "web", status=status)
    assert pairs(world, declared) == (("a", "web"),)


def test_an_app_that_left_is_due_on_hosts_that_stay(world: World) -> None:
    world.apply(manifests(app("web"), host("a"), host("b")))
    assert pairs(world, manifests(host("a"))) == (("a", "web"),)


def test_old_names_are_due_beside_the_new_ones_so_that_both_are_fetched(world: World) -> None:
    world.apply(manifests(app("site"), host("old")))
    renamed = manifests(app("web", formerly=("site",)), host("new", formerly=("old",)))
    assert pairs(world, renamed) == (("new", "web"), ("old", "site"))


def test_a_scope_keeps_the_old_name_of_an_app_that_it_covers(world: World) -> None:
    world.apply(manifests(app("site"), app("other"), host("a")))
    renamed = manifests(app("web", formerly=("site",)), host("a"))
    assert pairs(world, renamed, Scope(apps=frozenset({"web"}))) == (("a", "site"), ("a", "web"))


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({("a", "web"): "one"}, None),
        ({("a", "web"): "two"}, Due.SECRETS_CHANGED),
        ({}, Due.SECRETS_UNKNOWN),
        (None, Due.SECRETS_UNKNOWN),
    ],
)
def test_secrets_are_compared_by_their_fingerprints(world: World, now: Any, reason: Due | None) -> None:
    world.secrets = {("a", "web"): "one"}
    declared = manifests(SECRET, host("a"))
    world.apply(declared)
    wanted = world.desired(declared).hosts["a"]["web"]
    assert why_due(wanted, world.observed["a"].apps["web"], now) is reason


def test_drift_is_due(world: World) -> None:
    declared = manifests(app("web"), host("a"))
    world.apply(declared)
    world.see_app("a", "web", drift=(Drift("file:/etc/a", "change"),))
    assert pairs(world, declared) == (("a", "web"),)
