"""What stands in an app's values and digest, and what does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import InvalidInput
from reconciler.model.canonical import canonical
from reconciler.model.desired import app_digest
from reconciler.model.manifests import AppMetric, Connection, ConnectionType, Dependency, Lifecycle
from reconciler.planner.compose import Composer
from tests.fakes.fleet import World, app, compose, file, group, host, locate, manifests


def problems(*things: Any, templates: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        compose(manifests(*things, templates=templates))
    return [str(problem) for problem in caught.value.problems]


def test_values_hold_only_what_the_bundle_reads() -> None:
    thing = app("web", file("/etc/web", "{{ host.labels.env }} {{ port }}"), config={"port": 80, "unread": 1})
    machine = host("web-1", {"env": "prod", "rack": "7"}, vars={"unread": 2})
    wanted = compose(manifests(thing, machine)).hosts["web-1"]["web"]
    assert json.loads(wanted.values) == {"config": {"port": 80}, "host": {"labels": {"env": "prod"}}}
    assert wanted.digest == app_digest(wanted.bundle, wanted.values)


def test_a_label_that_nothing_reads_changes_no_digest() -> None:
    thing = app("web", file("/etc/web", "{{ host.labels.env }}"))
    one = compose(manifests(thing, host("web-1", {"env": "prod", "rack": "7"})))
    other = compose(manifests(thing, host("web-1", {"env": "prod", "rack": "8"})))
    assert one.hosts == other.hosts


def test_a_label_that_something_reads_changes_the_digest() -> None:
    thing = app("web", file("/etc/web", "{{ host.labels.env }}"))
    one = compose(manifests(thing, host("web-1", {"env": "prod"})))
    other = compose(manifests(thing, host("web-1", {"env": "test"})))
    assert one.hosts["web-1"]["web"].digest != other.hosts["web-1"]["web"].digest


def test_values_are_canonical_json() -> None:
    thing = app(
        "web", file("/etc/web", "{{ b }} {{ a }} {{ vars.x }} {{ host }}"), config={"b": {"y": 1, "x": "é"}, "a": 1.5}
    )
    wanted = compose(manifests(thing, host("web-1", {"k": "v"}, vars={"x": [1]}))).hosts["web-1"]["web"]
    assert wanted.values.encode() == canonical(json.loads(wanted.values))


def test_the_key_of_a_repository_gets_in() -> None:
    thing = app("web", {"repository": {"name": "nginx", "uri": "https://nginx.org", "key": "nginx.asc"}})
    desired = compose(manifests(thing, host("web-1"), templates={"nginx.asc": "key", "other.asc": "x"}))
    wanted = desired.hosts["web-1"]["web"]
    assert desired.bundles[wanted.bundle].content["templates"] == {"nginx.asc": "key"}


@pytest.mark.parametrize(
    ("resource", "claim"),
    [
        ({"cron": {"name": "rotate", "schedule": "@daily", "command": "x"}}, "cron:rotate"),
        ({"sysctl": {"key": "vm.swappiness", "value": 1}}, "sysctl:vm.swappiness"),
        ({"mount": {"path": "/srv", "device": "tmpfs", "fstype": "tmpfs"}}, "mount:/srv"),
    ],
)
def test_what_two_apps_cannot_both_own_is_told(resource: dict[str, Any], claim: str) -> None:
    told = problems(app("one", resource), app("two", resource), host("web-1"))
    assert [f"{claim} is claimed by one and two, both on web-1" in each for each in told] == [True]


def test_templates_get_in_with_all_that_they_include() -> None:
    thing = app("web", {"file": {"path": "/etc/web", "template": "site.j2"}})
    templates = {"site.j2": "{% include 'part.j2' %}", "part.j2": "{{ host.name }}", "other.j2": "x"}
    desired = compose(manifests(thing, host("web-1"), templates=templates))
    wanted = desired.hosts["web-1"]["web"]
    assert sorted(desired.bundles[wanted.bundle].content["templates"]) == ["part.j2", "site.j2"]
    assert json.loads(wanted.values) == {"host": {"name": "web-1"}}


def test_templates_that_only_a_text_of_a_manifest_includes_get_in() -> None:
    thing = app("web", file("/etc/web", "{% include 'part.j2' %}"), config={"port": 80, "unread": 1})
    templates = {"part.j2": "{% include 'deep.j2' %}", "deep.j2": "{{ port }}", "other.j2": "x"}
    desired = compose(manifests(thing, host("web-1"), templates=templates))
    wanted = desired.hosts["web-1"]["web"]
    assert sorted(desired.bundles[wanted.bundle].content["templates"]) == ["deep.j2", "part.j2"]
    assert json.loads(wanted.values) == {"config": {"port": 80}}


def test_templates_that_only_a_metric_or_a_check_includes_get_in() -> None:
    measured = [AppMetric("age", command=("cat", "{% include 'age.j2' %}"))]
    checked = [{"command": {"argv": ["test", "-e", "{% include 'check.j2' %}"]}}]
    thing = app("web", file("/etc/web", "x"), metrics=measured, health=checked)
    desired = compose(manifests(thing, host("web-1"), templates={"age.j2": "/a", "check.j2": "/b", "other.j2": "x"}))
    wanted = desired.hosts["web-1"]["web"]
    assert sorted(desired.bundles[wanted.bundle].content["templates"]) == ["age.j2", "check.j2"]


def test_a_map_with_a_secret_among_others_is_no_reference_whatever_is_read_of_it() -> None:
    config = {"m": {"secret": "deep", "other": 1}, "real": {"secret": "web/pass"}}
    thing = app("web", file("/etc/web", "{{ m.secret }} {{ real }}"), config=config)
    wanted = compose(manifests(thing, host("web-1"))).hosts["web-1"]["web"]
    assert json.loads(wanted.values) == {"config": config}
    assert wanted.secrets == ("web/pass",)


def test_no_other_host_speaks_to_one_that_is_retired() -> None:
    thing = app("lb", file("/etc/lb", "{% for h in hosts('role=web') %}{{ h.address }}{% endfor %}"), hosts="name=lb-1")
    labels = {"role": "web"}
    retired = host("web-2", labels, lifecycle=Lifecycle.RETIRE)
    wanted = compose(manifests(thing, host("lb-1"), host("web-1", labels), retired)).hosts["lb-1"]["lb"]
    assert [found["name"] for found in json.loads(wanted.values)["hosts"]["role=web"]] == ["web-1"]


def test_hosts_in_a_template_are_frozen_by_selector() -> None:
    thing = app("lb", file("/etc/lb", "{% for h in hosts('role=web') %}{{ h.address }}{% endfor %}"), hosts="name=lb-1")
    things = [
        host("lb-1"),
        host("web-2", {"role": "web"}, address="10.0.0.2"),
        host("web-1", {"role": "web"}, address="10.0.0.1"),
    ]
    wanted = compose(manifests(thing, *things)).hosts["lb-1"]["lb"]
    assert json.loads(wanted.values)["hosts"] == {
        "role=web": [
            {"name": "web-1", "address": "10.0.0.1", "labels": {"role": "web"}},
            {"name": "web-2", "address": "10.0.0.2", "labels": {"role": "web"}},
        ]
    }


def test_the_config_of_other_hosts_is_frozen_only_where_a_template_asks_for_it() -> None:
    text = "{% for h in hosts('app=web') %}{{ h.config.web.port }}{% endfor %}"
    things = [
        app("lb", file("/etc/lb", text), hosts="name=lb-1"),
        app("web", file("/etc/web"), hosts="role=web", config={"port": 80}),
    ]
    wanted = compose(manifests(*things, host("lb-1"), host("web-1", {"role": "web"}))).hosts["lb-1"]["lb"]
    (view,) = json.loads(wanted.values)["hosts"]["app=web"]
    assert view["config"] == {"web": {"port": 80}}


def test_unknown_facts_are_null_and_known_ones_are_cut() -> None:
    thing = app("web", file("/etc/web", "{{ facts.os.id }}"))
    declared = manifests(thing, host("web-1"))
    assert json.loads(compose(declared).hosts["web-1"]["web"].values) == {"facts": None}
    known = {"web-1": {"os": {"id": "debian", "version": "12"}, "cores": 2}}
    assert json.loads(compose(declared, known).hosts["web-1"]["web"].values) == {"facts": {"os": {"id": "debian"}}}


def test_secrets_are_named_from_values_and_from_resources() -> None:
    thing = app(
        "web",
        file("/etc/web", "{{ password }}"),
        {"command": {"argv": ["x"], "env": {"TOKEN": {"secret": "web/token"}}}},
        config={"password": {"secret": "web/password"}, "unread": {"secret": "web/unread"}},
    )
    assert compose(manifests(thing, host("web-1"))).hosts["web-1"]["web"].secrets == ("web/password", "web/token")


def test_a_host_that_is_retired_has_no_apps() -> None:
    thing = app("web", file("/etc/web"))
    desired = compose(manifests(thing, host("web-1", lifecycle=Lifecycle.RETIRE), host("web-2")))
    assert {name: sorted(apps) for name, apps in desired.hosts.items()} == {"web-1": [], "web-2": ["web"]}


def test_an_undefined_variable_is_told_once_with_its_line_and_one_host() -> None:
    thing = app("web", {"file": {"path": "/etc/web", "template": "site.j2"}}, config={"nginx_docroot": "/srv"})
    templates = {"site.j2": "a\nb {{ docroot }}\n"}
    (problem,) = problems(thing, host("web-1"), host("web-2"), templates=templates)
    assert problem.startswith("templates/site.j2:2: ")
    assert '"docroot" is undefined for web on web-1' in problem


def test_an_undefined_variable_in_a_manifest_is_told_at_its_place() -> None:
    block = {"block": {"resources": [file("/etc/a"), file("/etc/b", "{{ missing }}")]}}
    (problem,) = problems(app("web", file("/etc/web"), block), host("web-1"))
    assert problem.startswith("manifests/apps/web.yaml#spec.resources.1.block.resources.1.file.content: ")
    assert '"missing" is undefined for web on web-1' in problem


@pytest.mark.parametrize("text", ["{{ vars.x | default('y') }}", "{% if vars.x is defined %}{{ vars.x }}{% endif %}"])
def test_a_template_that_is_prepared_for_a_missing_value_is_no_error(text: str) -> None:
    desired = compose(manifests(app("web", file("/etc/web", text)), host("web-1"), host("web-2", vars={"x": 1})))
    assert desired.hosts["web-1"]["web"].digest != desired.hosts["web-2"]["web"].digest


def test_apps_that_depend_on_each_other_are_named() -> None:
    one = app("one", file("/etc/one"), depends_on=(Dependency("two"),))
    two = app("two", file("/etc/two"), depends_on=(Dependency("one"),))
    (problem,) = problems(one, two, host("web-1"))
    assert "one -> two -> one" in problem
    assert problem.startswith("manifests/apps/one.yaml#spec.dependsOn: ")


def test_two_apps_of_a_host_cannot_claim_the_same_path() -> None:
    (problem,) = problems(app("one", file("/etc/x")), app("two", file("/etc/x")), host("web-1"), host("web-2"))
    assert problem == (
        "manifests/apps/two.yaml#spec.resources.0: file:/etc/x is claimed by one and two, both on web-1."
        " One app owns it; drop it from the other."
    )


def test_two_apps_on_different_hosts_may_have_the_same_path() -> None:
    things = [app("one", file("/etc/x"), hosts="role=a"), app("two", file("/etc/x"), hosts="role=b")]
    desired = compose(manifests(*things, host("a", {"role": "a"}), host("b", {"role": "b"})))
    assert [list(apps) for apps in desired.hosts.values()] == [["one"], ["two"]]


def test_apps_that_select_each_other_are_named() -> None:
    with pytest.raises(InvalidInput, match="one -> two -> one"):
        compose(manifests(app("one", hosts="app=two"), app("two", hosts="app=one"), host("web-1")))


def test_the_whole_config_of_a_host_can_be_asked_for() -> None:
    composer = Composer()
    thing = app("web", file("/etc/web"), config={"name": "{{ host.name }}", "key": {"secret": "web/key"}})
    composer.compose(manifests(thing, host("web-1")), "r1", {}, locate)
    assert composer.config("web-1") == {"web": {"name": "web-1", "key": {"secret": "web/key"}}}


class TestComposingAgain:
    """What a composer remembers never shows in its results."""

    def test_it_takes_over_what_did_not_change(self) -> None:
        composer = Composer()
        thing, one, two = (
            app("web", file("/etc/web", "{{ vars.x }}")),
            host("a", vars={"x": 1}),
            host("b", vars={"x": 1}),
        )
        first = composer.compose(manifests(thing, one, two), "r1", {}, locate)
        second = composer.compose(manifests(thing, one, replace(two, vars={"x": 2})), "r2", {}, locate)
        assert second.hosts["a"]["web"] is first.hosts["a"]["web"]
        assert json.loads(second.hosts["b"]["web"].values) == {"vars": {"x": 2}}

    @pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, False)])
    def test_it_sees_a_change_of_type(self, old: object, new: object) -> None:
        composer = Composer()
        thing = app("web", file("/etc/web", "{{ port }}"), config={"port": 5})
        first = composer.compose(manifests(thing, host("a", config={"web": {"port": old}})), "r1", {}, locate)
        second = composer.compose(manifests(thing, host("a", config={"web": {"port": new}})), "r1", {}, locate)
        assert first.hosts["a"]["web"].values != second.hosts["a"]["web"].values

    def test_it_sees_a_change_of_a_host_that_others_look_up(self) -> None:
        composer = Composer()
        lb = app(
            "lb",
            file("/etc/lb", "{{ peer }} {% for h in hosts('role=web') %}{{ h.address }}{% endfor %}"),
            hosts="role=lb",
        )
        lb = replace(lb, config={"peer": "{{ (hosts('role=web') | first).config.web.port }}"})
        web = app("web", file("/etc/web"), hosts="role=web", config={"port": 80})
        ahead, behind = host("lb-1", {"role": "lb"}), host("web-1", {"role": "web"})
        composer.compose(manifests(lb, web, ahead, behind), "r1", {}, locate)
        for changed in (replace(behind, address="10.9.9.9"), replace(behind, config={"web": {"port": 81}})):
            declared = manifests(lb, web, ahead, changed)
            assert composer.compose(declared, "r1", {}, locate) == compose(declared)
        more = manifests(lb, web, ahead, behind, host("web-2", {"role": "web"}))
        assert composer.compose(more, "r1", {}, locate) == compose(more)

    def test_a_problem_does_not_vanish(self) -> None:
        composer = Composer()
        declared = manifests(app("web", file("/etc/web", "{{ x }}"), config={"x": None}), host("a"))
        for _ in range(2):
            with pytest.raises(InvalidInput, match="nothing sets"):
                composer.compose(declared, "r1", {}, locate)

    def test_facts_that_become_known_are_taken_up(self) -> None:
        composer = Composer()
        declared = manifests(app("web", file("/etc/web", "{{ facts.cores }}")), host("a"))
        composer.compose(declared, "r1", {}, locate)
        known = composer.compose(declared, "r1", {"a": {"cores": 2}}, locate)
        assert json.loads(known.hosts["a"]["web"].values) == {"facts": {"cores": 2}}


def test_a_group_can_select_by_app() -> None:
    thing = app("web", file("/etc/web", "{{ vars.x }}"), hosts="role=web")
    things = [group("webs", "app=web", vars={"x": 1}), group("rest", "!role", vars={"x": 2})]
    desired = compose(manifests(thing, *things, host("web-1", {"role": "web"})))
    assert json.loads(desired.hosts["web-1"]["web"].values) == {"vars": {"x": 1}}


def test_an_app_that_comes_to_a_host_is_seen_by_those_who_read_its_config() -> None:
    reader = app("reader", file("/etc/r", "{% for h in hosts('name=b') %}{{ h.config }}{% endfor %}"), hosts="name=a")
    one = app("one", file("/etc/one"), hosts="name=b", config={"x": 1})
    two = app("two", file("/etc/two"), hosts="name=b", config={"y": 2})
    world = World()
    before = world.desired(manifests(reader, one, host("a"), host("b")))
    after = world.desired(manifests(reader, one, two, host("a"), host("b")))
    assert after.hosts["a"]["reader"].digest != before.hosts["a"]["reader"].digest


def test_every_host_that_reads_other_hosts_config_sees_it_change() -> None:
    reader = app("reader", file("/etc/r", "{% for h in hosts('app=one') %}{{ h.config.one.x }}{% endfor %}"))
    hosts = (host("a"), host("b"))
    world = World()
    before = world.desired(manifests(reader, app("one", file("/etc/one"), config={"x": 1}), *hosts))
    after = world.desired(manifests(reader, app("one", file("/etc/one"), config={"x": 2}), *hosts))
    for name in ("a", "b"):
        assert after.hosts[name]["reader"].digest != before.hosts[name]["reader"].digest


def test_an_app_with_confirm_needs_agents() -> None:
    agent = host("agent", connection=Connection(type=ConnectionType.AGENT))
    firewall = app("firewall", file("/etc/fw"), confirm_seconds=60.0)
    compose(manifests(firewall, agent))
    (problem,) = problems(firewall, agent, host("ssh-1"), host("ssh-2"))
    assert problem.endswith(
        "firewall has confirm, which only an agent can wait for; ssh-1 and 1 more have none. "
        "Set connection.type: agent there, or take confirm away."
    )
