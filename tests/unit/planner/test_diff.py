"""What a plan says would happen, and what it does not pretend to know."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import InvalidInput
from reconciler.model.manifests import App, DriftPolicy
from reconciler.model.observed import AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.model.plan import Action, AppPlan, Change
from reconciler.resources.protocol import ResourceEvent
from tests.fakes.fleet import World, app, file, host, manifests
from tests.unit.planner.plans import brief, changed, only

PASSWORD = {"password": {"secret": "web/password"}}


def test_nothing_is_planned_where_everything_stands_as_wanted(world: World) -> None:
    declared = manifests(app("web", file("/etc/web")), host("web-1"))
    world.apply(declared)
    plan = world.plan(declared)
    assert (plan.apps, plan.hosts, plan.empty) == ((), ("web-1",), True)


def test_what_was_never_looked_at_is_unknown_and_not_an_addition(world: World) -> None:
    found = only(world.plan(manifests(app("web", file("/etc/web")), host("web-1"))))
    assert [(change.action, change.reason) for change in found.changes] == [
        (Action.UNKNOWN, "never looked at on this host")
    ]


def test_what_a_run_was_refused_is_told_where_no_look_can_be_taken(world: World) -> None:
    declared = manifests(app("web", file("/a"), file("/b")), host("web-1"))
    error = "web-1 web file:/a: /a exists, differs and is not ours. Take over: adopt: replace"
    known = ObservedApp(1, "older", AppStatus.FAILED, error=error)
    world.observed["web-1"] = ObservedHost({"web": known})
    reasons = [change.reason for change in only(world.plan(declared)).changes]
    assert reasons == ["/a exists, differs and is not ours. Take over: adopt: replace", "never looked at on this host"]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("file", {"path": "/a", "content": "x"}, {"path": "/a", "content": "x", "validate": ["test", "%s"]}),
        ("file", {"path": "/a", "content": "x"}, {"path": "/a", "content": "y", "replace": False}),
        ("service", {"name": "a"}, {"name": "a", "check": ["true"]}),
        ("service", {"name": "a"}, {"name": "a", "enabled": True, "state": "running"}),
        ("file", {"path": "/a", "content": "x"}, {"path": "/a", "content": "x", "owner": "root", "mode": "0644"}),
        ("directory", {"path": "/a", "mode": "0755"}, {"path": "/a", "mode": "755", "purge": False}),
        ("user", {"name": "a"}, {"name": "a", "appendGroups": True, "system": False}),
    ],
)
def test_what_is_declared_differently_and_means_the_same_is_no_change(
    world: World, kind: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    found = changed(world, app("web", {kind: old}), app("web", {kind: new}))
    assert found.changes == ()


def test_whether_a_command_with_a_guard_runs_again_is_unknown(world: World) -> None:
    old, new = ({"command": {"argv": ["make"], "creates": "/made", "timeout": f"{number}s"}} for number in (1, 2))
    (change,) = changed(world, app("web", old), app("web", new)).changes
    assert (change.action, change.reason) == (Action.UNKNOWN, "its guard decides on the host")


def test_a_look_that_finds_it_as_wanted_counts_more_than_what_was_declared_before(world: World) -> None:
    world.apply(manifests(app("web", file("/a", "x")), host("web-1")))
    declared = manifests(app("web", file("/a", "y")), host("web-1"))
    looks = {("web-1", "web"): {"file:/a": ResourceEvent("file:/a", "file:/a", "ok")}}
    assert only(world.plan(declared, looks=looks)).changes == ()


def test_a_changed_text_is_shown_as_a_unified_diff(world: World) -> None:
    old, new = (app("web", file("/etc/web", f"a\nport {port}\nb\n")) for port in (80, 81))
    (change,) = changed(world, old, new).changes
    assert change.action is Action.CHANGE
    assert change.diff == ("@@ -1,3 +1,3 @@", " a", "-port 80", "+port 81", " b")
    assert change.before != change.after


def test_other_fields_are_shown_old_and_new(world: World) -> None:
    old = app("web", {"file": {"path": "/etc/web", "content": "x", "mode": "0644"}})
    new = app("web", {"file": {"path": "/etc/web", "content": "x", "mode": "0600", "owner": "www"}})
    (change,) = changed(world, old, new).changes
    assert change.diff == ("mode: 0644 -> 0600", "owner: (unset) -> www")


def test_a_change_without_the_old_bundle_has_no_text(world: World) -> None:
    world.apply(manifests(app("web", file("/etc/web", "a")), host("web-1")))
    plan = world.plan(manifests(app("web", file("/etc/web", "b")), host("web-1")), bundles={})
    assert [(change.action, change.diff) for change in only(plan).changes] == [(Action.CHANGE, ())]


def test_a_plan_that_nobody_reads_can_do_without_texts(world: World) -> None:
    world.apply(manifests(app("web", file("/etc/web", "a")), host("web-1")))
    new = manifests(app("web", file("/etc/web", "b")), host("web-1"))
    brisk = world.plan(new, texts=False)
    assert [change.diff for _, change in brisk.changes()] == [()]
    assert brisk.id == world.plan(new).id


def test_equal_changes_of_many_hosts_are_one_object(world: World) -> None:
    hosts = [host(f"web-{number}") for number in range(3)]
    world.apply(manifests(app("web", file("/etc/web", "a")), *hosts))
    plan = world.plan(manifests(app("web", file("/etc/web", "b")), *hosts))
    assert len({id(change) for _, change in plan.changes()}) == 1
    assert len(plan.apps) == 3


def test_a_new_digest_without_a_changed_resource_still_stands_in_the_plan(world: World) -> None:
    found = changed(world, app("web", file("/etc/web")), app("web", file("/etc/web"), verify_every_seconds=60.0))
    assert found == AppPlan("web-1", "web")


class TestLooks:
    """An inspection of the host tells what fingerprints cannot."""

    def plan(self, world: World, action: str, resource: Any = None, **event: Any) -> tuple[Change, ...]:
        declared = manifests(app("web", resource or file("/etc/web", "new\n")), host("web-1"))
        look = ResourceEvent("file:/etc/web", "site", action, **event)
        return only(world.plan(declared, looks={("web-1", "web"): {"file:/etc/web": look}})).changes

    def test_what_is_missing_is_added_with_its_text(self, world: World) -> None:
        (change,) = self.plan(world, "add")
        assert (change.action, change.diff) == (Action.ADD, ("@@ -0,0 +1 @@", "+new"))

    def test_what_differs_is_compared_with_the_text_found(self, world: World) -> None:
        (change,) = self.plan(world, "change", differences=("mode: 0600 -> 0644", "content"), before="old\n")
        assert change.action is Action.CHANGE
        assert change.diff == ("mode: 0600 -> 0644", "@@ -1 +1 @@", "-old", "+new")

    def test_what_is_right_already_is_no_change(self, world: World) -> None:
        assert self.plan(world, "ok") == ()

    def test_what_must_not_be_there_is_deleted_where_it_exists(self, world: World) -> None:
        absent = {"file": {"path": "/etc/web", "state": "absent"}}
        assert [change.action for change in self.plan(world, "delete", absent)] == [Action.DELETE]
        assert self.plan(world, "ok", absent) == ()

    def test_what_cannot_be_looked_at_is_unknown(self, world: World) -> None:
        (change,) = self.plan(world, "failed", error="permission denied")
        assert (change.action, change.reason) == (Action.UNKNOWN, "cannot be looked at: permission denied")

    def test_the_text_found_is_not_shown_where_the_file_holds_a_secret(self, world: World) -> None:
        thing = app("web", file("/etc/web", "{{ password }}"), config=PASSWORD)
        look = ResourceEvent("file:/etc/web", "site", "change", ("content",), "hunter2")
        plan = world.plan(manifests(thing, host("web-1")), looks={("web-1", "web"): {"file:/etc/web": look}})
        assert "hunter2" not in str(plan)
        assert only(plan).changes[0].diff == ("content",)

    def test_a_look_at_our_own_thing_is_drift_and_no_intended_change(self, world: World) -> None:
        old, new = (app("web", file("/etc/web"), file("/etc/b", text)) for text in "ab")
        world.apply(manifests(old, host("web-1")))
        look = ResourceEvent("file:/etc/web", "site", "change", ("mode: 0600 -> 0644", "content"), "other\n")
        plan = world.plan(manifests(new, host("web-1")), looks={("web-1", "web"): {"file:/etc/web": look}})
        assert brief(only(plan)) == ["~ file:/etc/b"]
        diff = ("@@ -1 +1 @@", "-other", "+text")
        assert only(plan).drift == (Drift("file:/etc/web", "change", look.differences, diff),)


class TestSecrets:
    """A secret's value never shows; that it changed does."""

    def declared(self, **extra: Any) -> Any:
        config = {**PASSWORD, **extra}
        text = " ".join(f"{{{{ {name} }}}}" for name in config)
        return manifests(app("web", file("/etc/a", text), file("/etc/b"), config=config), host("web-1"))

    def plan(self, world: World, now: dict[tuple[str, str], str] | None, **extra: Any) -> list[tuple[str, str, str]]:
        declared = self.declared(**extra)
        world.secrets = {("web-1", "web"): "print-1"}
        world.apply(declared)
        plan = world.plan(declared, secrets=now)
        return [(change.resource, change.action.value, change.reason) for _, change in plan.changes()]

    def test_a_rotated_secret_changes_what_reads_it(self, world: World) -> None:
        found = self.plan(world, {("web-1", "web"): "print-2"})
        assert found == [("file:/etc/a", "change", "secret web/password changed")]

    def test_an_equal_fingerprint_is_no_change(self, world: World) -> None:
        assert self.plan(world, {("web-1", "web"): "print-1"}) == []

    def test_without_the_key_it_is_unknown(self, world: World) -> None:
        found = self.plan(world, None)
        assert found == [("file:/etc/a", "unknown", "secret web/password: unknown whether changed")]

    def test_of_several_secrets_it_is_not_known_which_one_changed(self, world: World) -> None:
        declared = manifests(
            app(
                "web",
                file("/etc/a", "{{ one }}"),
                file("/etc/b", "{{ two }}"),
                config={
                    "one": {"secret": "web/one"},
                    "two": {"secret": "web/two"},
                },
            ),
            host("web-1"),
        )
        world.secrets = {("web-1", "web"): "print-1"}
        world.apply(declared)
        plan = world.plan(declared, secrets={("web-1", "web"): "print-2"})
        assert [change.reason for _, change in plan.changes()] == [
            "secret web/one: one of web/one, web/two changed",
            "secret web/two: one of web/one, web/two changed",
        ]
        assert plan.counts[Action.UNKNOWN] == 2


class TestFollowUps:
    """Restarts and reloads that will follow are part of the plan."""

    def plan(self, world: World, **service: Any) -> tuple[str, ...]:
        def version(text: str) -> App:
            site = file("/etc/nginx/site", text, name="site")
            return app("web", site, file("/etc/other"), {"service": {"name": "nginx", **service}})

        return changed(world, version("a"), version("b")).follow_ups

    @pytest.mark.parametrize("named", ["site", "file:/etc/nginx/site", "path:/etc/nginx/*"])
    def test_a_service_reloads_for_what_it_names(self, world: World, named: str) -> None:
        assert self.plan(world, reloadOn=[named]) == ("reload nginx (site changes)",)

    def test_a_restart_wins_over_a_reload(self, world: World) -> None:
        assert self.plan(world, reloadOn=["site"], restartOn=["site"]) == ("restart nginx (site changes)",)

    def test_a_service_does_nothing_for_what_it_does_not_name(self, world: World) -> None:
        assert self.plan(world, reloadOn=["other"]) == ()

    def test_a_stopped_service_is_left_alone(self, world: World) -> None:
        assert self.plan(world, state="stopped", restartOn=["site"]) == ()

    def test_what_may_change_may_cause_a_reload(self, world: World) -> None:
        site = file("/etc/nginx/site", name="site")
        thing = app("web", site, {"service": {"name": "nginx", "reloadOn": ["site"]}})
        assert only(world.plan(manifests(thing, host("web-1")))).follow_ups == ("reload nginx (if site changes)",)

    def test_a_service_that_is_new_is_started(self, world: World) -> None:
        thing = app("web", {"service": {"name": "nginx"}})
        look = ResourceEvent("service:nginx", "service:nginx", "add")
        plan = world.plan(manifests(thing, host("web-1")), looks={("web-1", "web"): {"service:nginx": look}})
        assert only(plan).follow_ups == ("start nginx",)


class TestDrift:
    """Drift is shown apart from what is intended."""

    drift = (Drift("file:/etc/a", "change", ("content",)),)

    def test_it_is_no_intended_change(self, world: World) -> None:
        declared = manifests(app("web", file("/etc/a")), host("web-1"))
        world.apply(declared)
        world.see_app("web-1", "web", drift=self.drift)
        assert only(world.plan(declared)) == AppPlan("web-1", "web", drift=self.drift)

    def test_it_is_not_shown_where_the_app_ignores_it(self, world: World) -> None:
        declared = manifests(app("web", file("/etc/a"), drift=DriftPolicy.IGNORE), host("web-1"))
        world.apply(declared)
        world.see_app("web-1", "web", drift=self.drift)
        assert all(not plan.drift for plan in world.plan(declared).apps)


def test_a_resource_that_depends_on_unknown_facts_is_unknown(world: World) -> None:
    thing = app("web", file("/etc/a", "{{ facts.cores }}"), file("/etc/b"))
    world.apply(manifests(app("web", file("/etc/a"), file("/etc/b")), host("web-1")))
    found = only(world.plan(manifests(thing, host("web-1"))))
    assert brief(found) == ["? file:/etc/a"]
    assert "facts" in found.changes[0].reason


def test_apps_that_turn_out_to_claim_one_path_are_refused(world: World) -> None:
    one = app("one", file("/etc/{{ vars.name }}"))
    two = app("two", file("/etc/x"))
    declared = manifests(one, two, host("a", vars={"name": "x"}), host("b", vars={"name": "x"}))
    with pytest.raises(InvalidInput, match="file:/etc/x is claimed by one and two, both on a"):
        world.plan(declared)


def test_the_guard_gets_the_number_of_resources_of_each_app(world: World) -> None:
    hosts = [host("a"), host("b")]
    world.apply(manifests(app("web", file("/1"), file("/2")), app("db", file("/3"), file("/4", when="true")), *hosts))
    plan = world.plan(manifests(app("web", file("/1")), app("db", file("/3"), file("/4", when="true")), *hosts))
    assert plan.counts[Action.DELETE] == 2
    assert plan.resources == {"db": 4, "web": 4}
