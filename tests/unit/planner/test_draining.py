"""A host that is retired waits for those who were told of it."""

from __future__ import annotations

import pytest

from reconciler.model.observed import Applied, AppStatus, ObservedApp
from reconciler.planner.draining import behind, speakers
from tests.fakes.fleet import World, app, file, host, manifests

LISTED = '{"hosts":{"role=web":[{"name":"web-1"}]}}'


@pytest.mark.parametrize(
    ("values", "status", "speaks"),
    [
        (LISTED, AppStatus.CONVERGED, True),
        ('{"hosts":{"role=web":[{"name":"web-2"}]}}', AppStatus.CONVERGED, False),
        ('{"hosts":{"role=web":[{"name":"web-2"}]}}', AppStatus.FAILED, True),
        ("{}", AppStatus.FAILED, False),
        ('{"hosts":[5]}', AppStatus.CONVERGED, False),
        ("[", AppStatus.FAILED, False),
    ],
)
def test_who_was_applied_with_it_speaks_to_it_and_of_who_failed_nobody_knows(
    values: str, status: AppStatus, *, speaks: bool
) -> None:
    pair = ("lb-1", "proxy")
    late = {pair: ObservedApp(1, "older", status)}
    assert speakers("web-1", late, {pair: Applied("sha", values, {})}) == ((pair,) if speaks else ())


def test_its_own_apps_do_not_count() -> None:
    pair = ("web-1", "proxy")
    late = {pair: ObservedApp(1, "older", AppStatus.CONVERGED)}
    assert speakers("web-1", late, {pair: Applied("sha", LISTED, {})}) == ()


def test_what_has_converged_on_what_is_wanted_speaks_to_nobody_who_left() -> None:
    world = World()
    declared = manifests(app("proxy", file("/etc/proxy")), host("lb-1"), host("lb-2"))
    world.apply(declared)
    assert behind(world.desired(declared), world.observed) == {}
    world.see_app("lb-2", "proxy", digest="older")
    assert list(behind(world.desired(declared), world.observed)) == [("lb-2", "proxy")]
