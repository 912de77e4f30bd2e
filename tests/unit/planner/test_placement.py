"""Which apps a host has, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.manifests import Connection, ConnectionType, Lifecycle, Manifests
from reconciler.model.selector import Selector
from reconciler.planner.fleet import Fleet, Memory
from reconciler.planner.placement import Placement, connections
from tests.fakes.fleet import app, group, host, manifests


def placements(declared: Manifests) -> Mapping[str, tuple[str, ...]]:
    """Host -> its apps."""
    placement = Placement.of(declared)
    return {name: placement.standing(host).apps for name, host in declared.hosts.items()}


def test_apps_stand_where_their_selectors_pick_in_name_order() -> None:
    declared = manifests(
        app("web", hosts="role=web"), app("base"), app("beside", hosts="app=web"), host("a", {"role": "web"}), host("b")
    )
    assert placements(declared) == {"a": ("base", "beside", "web"), "b": ("base",)}


def test_a_host_that_retires_has_no_apps() -> None:
    assert placements(manifests(app("base"), host("a", lifecycle=Lifecycle.RETIRE))) == {"a": ()}


def test_a_host_can_be_picked_by_its_name() -> None:
    assert placements(manifests(app("base", hosts="name=a"), host("a"), host("b"))) == {"a": ("base",), "b": ()}


def test_a_connection_that_nobody_sets_is_ssh_with_everything_else_open() -> None:
    assert connections(manifests(host("a")))["a"] == Connection(ConnectionType.SSH, become=False)


def test_the_host_overrides_its_groups_and_a_higher_priority_a_lower_one() -> None:
    declared = manifests(
        group("low", connection=Connection(user="low", port=1, become=True)),
        group("high", priority=1, connection=Connection(user="high", port=2)),
        host("a", connection=Connection(user="own")),
    )
    assert connections(declared)["a"] == Connection(ConnectionType.SSH, "own", 2, become=True)


def test_selecting_through_the_index_is_the_same_as_asking_every_host() -> None:
    declared = manifests(
        app("web", hosts="role=web"),
        host("a", {"role": "web", "zone": "1"}),
        host("b", {"role": "web", "zone": "2"}),
        host("c", {"zone": "1"}),
    )
    fleet = Fleet(declared, Memory(), lambda _: False)
    for text in (
        "*",
        "role=web",
        "zone in (1,2),!role",
        "app=web,zone=1",
        "app!=web",
        "name in (a,c,x)",
        "role",
        "zone=3",
    ):
        assert fleet.select(text) == declared.select(Selector.parse(text)), text
