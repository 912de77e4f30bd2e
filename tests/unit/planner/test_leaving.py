"""What a plan says of things that leave the manifests, or go by another name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.manifests import Lifecycle, PrunePolicy
from reconciler.model.plan import Action
from tests.fakes.fleet import World, app, file, host, manifests
from tests.unit.planner.plans import brief, changed, only


class TestLeaving:
    """What left the manifests is removed, or stays for a reason that is told."""

    def test_a_resource_of_ours_is_deleted_last_declared_first(self, world: World) -> None:
        old = app("web", file("/etc/a"), file("/etc/b"), file("/etc/c"))
        found = changed(world, old, app("web", file("/etc/a", "new")))
        assert brief(found) == ["~ file:/etc/a", "- file:/etc/c", "- file:/etc/b"]

    @pytest.mark.parametrize("values", ["[1]", '{"config": 5}', '{"config": [5]}', "[" * 100_000])
    def test_a_host_that_makes_up_what_was_applied_there_fails_no_plan(self, world: World, values: str) -> None:
        old, new = app("web", file("/etc/a"), file("/etc/b")), app("web", file("/etc/a"))
        world.apply(manifests(old, host("web-1")))
        world.applied["web-1", "web"] = replace(world.applied["web-1", "web"], values=values)
        assert brief(only(world.plan(manifests(new, host("web-1"))))) == ["- file:/etc/b"]

    @pytest.mark.parametrize(
        ("resource", "policy", "told"),
        [
            (file("/etc/b", keep=True), PrunePolicy.TRUE, "file:/etc/b stays (keep: true)"),
            (file("/etc/b"), PrunePolicy.FALSE, "file:/etc/b stays (prune: false)"),
            ({"package": {"name": "b"}}, PrunePolicy.TRUE, "package:b stays (prune: all removes it)"),
            ({"group": {"name": "b"}}, PrunePolicy.ALL, "group:b stays (files may belong to it)"),
        ],
    )
    def test_what_stays_is_told_with_its_reason(
        self, world: World, resource: Any, policy: PrunePolicy, told: str
    ) -> None:
        found = changed(world, app("web", file("/etc/a"), resource), app("web", file("/etc/a"), prune=policy))
        assert (found.changes, found.left_behind) == ((), (told,))

    def test_packages_go_where_everything_is_pruned(self, world: World) -> None:
        package = {"package": {"name": "b"}}
        found = changed(world, app("web", file("/etc/a"), package), app("web", file("/etc/a"), prune=PrunePolicy.ALL))
        assert brief(found) == ["- package:b"]

    def test_what_was_there_before_us_stays(self, world: World) -> None:
        world.apply(manifests(app("web", file("/etc/a"), file("/etc/b")), host("web-1")))
        pair = ("web-1", "web")
        world.applied[pair] = replace(world.applied[pair], adopted=("file:/etc/b",))
        found = only(world.plan(manifests(app("web", file("/etc/a")), host("web-1"))))
        assert found.left_behind == ("file:/etc/b stays (it was there before us)",)

    def test_commands_and_things_wanted_away_leave_nothing(self, world: World) -> None:
        away = {"file": {"path": "/etc/b", "state": "absent"}}
        found = changed(
            world, app("web", file("/etc/a"), {"command": {"argv": ["x"]}}, away), app("web", file("/etc/a"))
        )
        assert (found.changes, found.left_behind) == ((), ())

    def test_an_app_that_leaves_a_host_takes_all_with_it(self, world: World) -> None:
        world.apply(manifests(app("web", file("/etc/a"), file("/etc/b")), host("web-1", {"role": "web"})))
        elsewhere = manifests(app("web", file("/etc/a"), file("/etc/b"), hosts="role=web"), host("web-1"))
        assert brief(only(world.plan(elsewhere))) == ["- file:/etc/b", "- file:/etc/a"]

    def test_a_host_that_retires_is_pruned(self, world: World) -> None:
        thing = app("web", file("/etc/a"))
        world.apply(manifests(thing, host("web-1")))
        plan = world.plan(manifests(thing, host("web-1", lifecycle=Lifecycle.RETIRE)))
        assert brief(only(plan)) == ["- file:/etc/a"]

    def test_a_host_that_left_the_manifests_is_forgotten_and_not_touched(self, world: World) -> None:
        thing = app("web", file("/etc/a"))
        world.apply(manifests(thing, host("web-1"), host("web-2")))
        plan = world.plan(manifests(thing, host("web-1")))
        assert (plan.forgotten, plan.apps) == (("web-2",), ())

    def test_a_thing_that_moves_to_another_app_is_neither_deleted_nor_added(self, world: World) -> None:
        world.apply(manifests(app("one", file("/etc/a"), file("/etc/b")), app("two", file("/etc/c")), host("h")))
        moved = manifests(app("one", file("/etc/a")), app("two", file("/etc/c"), file("/etc/b", "new\n")), host("h"))
        one, two = world.plan(moved).apps
        assert (one.changes, one.left_behind) == ((), ("file:/etc/b moves to two",))
        assert [(change.resource, change.action, change.diff[1:]) for change in two.changes] == [
            ("file:/etc/b", Action.CHANGE, ("-text", "+new"))
        ]

    def test_wanting_a_thing_away_deletes_what_we_wrote(self, world: World) -> None:
        away = {"file": {"path": "/etc/a", "state": "absent"}}
        assert brief(changed(world, app("web", file("/etc/a")), app("web", away))) == ["- file:/etc/a"]
        back = only(world.plan(manifests(app("web", away), host("web-1"))))
        assert brief(back) == ["- file:/etc/a"]

    def test_wanting_it_back_adds_it(self, world: World) -> None:
        away = {"file": {"path": "/etc/a", "state": "absent"}}
        assert brief(changed(world, app("web", away), app("web", file("/etc/a")))) == ["+ file:/etc/a"]


class TestRenaming:
    """`formerly` keeps what an app or a host owns."""

    def test_a_renamed_app_keeps_its_things(self, world: World) -> None:
        old = app("site", file("/etc/a"), file("/etc/b"))
        found = changed(world, old, app("web", file("/etc/a"), file("/etc/b", "new\n"), formerly=("site",)))
        assert (found.app, brief(found)) == ("web", ["~ file:/etc/b"])

    def test_a_renamed_host_keeps_its_things(self, world: World) -> None:
        thing = app("web", file("/etc/a"), file("/etc/name", "{{ host.name }}"))
        world.apply(manifests(thing, host("old")))
        plan = world.plan(manifests(thing, host("new", formerly=("old",))))
        assert (only(plan).host, brief(only(plan)), plan.forgotten) == ("new", ["~ file:/etc/name"], ())
