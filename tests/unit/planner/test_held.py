"""What a plan leaves out: what people hold back, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from reconciler.model.manifests import App, DriftPolicy, Host, Maintenance, Sync
from reconciler.model.observed import Drift, ObservedHost
from reconciler.planner.scope import Scope
from tests.fakes.fleet import NOW, World, app, file, host, manifests
from tests.unit.planner.plans import only


class TestHeld:
    """An app that cannot go ahead says why, with its changes."""

    def held(self, world: World, thing: App | None = None, machine: Host | None = None) -> str:
        world.apply(manifests(app("web", file("/etc/a")), host("web-1")))
        world.see("web-1", paused=self.paused, rejected=self.rejected)
        return only(world.plan(manifests(thing or app("web", file("/etc/a", "new")), machine or host("web-1")))).held

    paused: Mapping[str, str] = {}
    rejected: frozenset[str] = frozenset()

    def test_nothing_holds_an_ordinary_change(self, world: World) -> None:
        assert self.held(world) == ""

    def test_a_paused_host(self, world: World) -> None:
        self.paused = {"*": "disk swap", "other": "no matter"}
        assert self.held(world) == "host paused: disk swap"

    def test_maintenance_that_drains_and_has_not_ended(self, world: World) -> None:
        soon = Maintenance(NOW + timedelta(hours=1), "new disks")
        assert self.held(world, machine=host("web-1", maintenance=soon)) == (
            "maintenance until 2026-01-02 04:04 UTC: new disks"
        )

    @pytest.mark.parametrize(
        "over", [Maintenance(NOW - timedelta(hours=1), "done"), Maintenance(NOW + timedelta(hours=1), "x", drain=False)]
    )
    def test_maintenance_that_is_over_or_does_not_drain(self, world: World, over: Maintenance) -> None:
        assert self.held(world, machine=host("web-1", maintenance=over)) == ""

    def test_an_app_that_waits_for_approval(self, world: World) -> None:
        thing = app("web", file("/etc/a", "new"), sync=Sync.MANUAL)
        assert self.held(world, thing) == "waits for approval: reconcile apply --app web"

    def test_a_digest_that_failed_here_before(self, world: World) -> None:
        declared = manifests(app("web", file("/etc/a", "new")), host("web-1"))
        self.rejected = frozenset({world.desired(declared).hosts["web-1"]["web"].digest})
        assert self.held(world) == "it failed here before; change it, or try again: reconcile apply --app web"

    def test_naming_an_app_approves_it_and_tries_it_again(self, world: World) -> None:
        thing = app("web", file("/etc/a", "new"), sync=Sync.MANUAL)
        declared = manifests(thing, host("web-1"))
        digest = world.desired(declared).hosts["web-1"]["web"].digest
        world.observed["web-1"] = ObservedHost(rejected=frozenset({digest}))
        assert only(world.plan(declared, scope=Scope(None, frozenset({"web"})))).held == ""

    def test_drift_that_is_only_reported(self, world: World) -> None:
        declared = manifests(app("web", file("/etc/a"), drift=DriftPolicy.REPORT), host("web-1"))
        world.apply(declared)
        world.see_app("web-1", "web", drift=(Drift("file:/etc/a", "change"),))
        assert only(world.plan(declared)).held == "drift is only reported; put it right: reconcile apply --app web"

    def test_a_paused_app(self, world: World) -> None:
        self.paused = {"web": "debugging"}
        assert self.held(world) == "paused: debugging"

    def test_a_paused_app_that_would_be_removed(self, world: World) -> None:
        world.apply(manifests(app("web", file("/etc/a")), host("web-1")))
        world.see("web-1", paused={"web": "debugging"})
        assert only(world.plan(manifests(host("web-1")))).held == "paused: debugging"


class TestScope:
    """A plan covers what it is asked for."""

    def test_only_the_hosts_and_apps_that_are_named(self, world: World) -> None:
        declared = manifests(app("one", file("/1")), app("two", file("/2")), host("a"), host("b"))
        plan = world.plan(declared, scope=Scope(frozenset({"a"}), frozenset({"two"})))
        assert (plan.hosts, [(each.host, each.app) for each in plan.apps]) == (("a",), [("a", "two")])

    def test_hosts_outside_are_not_forgotten(self, world: World) -> None:
        thing = app("web", file("/etc/a"))
        world.apply(manifests(thing, host("a"), host("b")))
        plan = world.plan(manifests(thing, host("a")), scope=Scope(frozenset({"a"})))
        assert plan.forgotten == ()
