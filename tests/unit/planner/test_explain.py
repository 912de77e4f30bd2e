"""Where everything about an app on a host comes from."""

from __future__ import annotations

import pytest

from reconciler.errors import InvalidInput
from reconciler.model.manifests import Dependency, Lifecycle
from reconciler.model.observed import Drift
from reconciler.planner.due import Due
from reconciler.planner.explain import Explanation, explain
from tests.fakes.fleet import World, app, file, group, host, locate, manifests

DECLARED = manifests(
    app("base", file("/etc/base")),
    app(
        "web",
        file("/etc/web", "{{ port }} {{ tls.key }} {{ vars.zone }}"),
        hosts="role=web",
        config={"port": 80, "tls": {"on": True, "key": {"secret": "web/key"}}},
        depends_on=(Dependency("base"),),
    ),
    group("webs", "role=web", priority=10, config={"web": {"port": 81}}, vars={"zone": "eu"}),
    host("web-1", {"role": "web"}, config={"web": {"port": 82}}),
    host("db-1"),
    host("old-1", {"role": "web"}, lifecycle=Lifecycle.RETIRE),
)


def explained(app_name: str, host_name: str = "web-1") -> Explanation:
    return explain(World().given(DECLARED), host_name, app_name)


def test_each_value_is_told_with_every_layer_that_set_it_the_winner_last() -> None:
    found = {value.name: value for value in explained("web").config}
    assert sorted(found) == ["port", "tls.key", "tls.on"]
    assert [(setting.source, setting.value) for setting in found["port"].settings] == [
        ("App web", 80),
        ("Group webs (priority 10)", 81),
        ("Host web-1", 82),
    ]
    assert str(locate(found["port"].winner.origin, found["port"].winner.path)) == (
        "manifests/hosts/web-1.yaml#spec.config.web.port"
    )


def test_a_map_that_is_replaced_takes_its_old_keys_along() -> None:
    declared = manifests(
        app("web", file("/etc/web"), config={"tls": {"on": True}}), host("web-1", config={"web": {"tls": "off"}})
    )
    (value,) = explain(World().given(declared), "web-1", "web").config
    assert (value.name, [setting.value for setting in value.settings]) == ("tls", ["off"])


def test_vars_groups_dependencies_and_secrets_are_told() -> None:
    found = explained("web")
    assert [value.name for value in found.vars] == ["zone"]
    assert found.groups == ("webs",)
    assert found.placed_by == "role=web"
    assert found.depends_on == (Dependency("base"),)
    assert explained("base").needed_by == ("web",)
    assert found.secrets == ("web/key",)
    assert '"port":82' in found.values


@pytest.mark.parametrize(
    ("app_name", "host_name", "told"),
    [
        ("web", "nowhere", "there is no host nowhere"),
        ("nothing", "web-1", "there is no app nothing"),
        ("web", "db-1", "web does not run on db-1, which runs base. It runs where role=web."),
        ("web", "old-1", "web does not run on old-1, which runs no app. The host is being retired."),
    ],
)
def test_what_is_not_there_is_told_with_a_hint(app_name: str, host_name: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        explained(app_name, host_name)


def test_why_an_app_is_due_is_told_with_what_holds_it() -> None:
    world = World()
    assert explain(world.given(DECLARED), "web-1", "base").due is Due.NEVER_APPLIED
    world.apply(DECLARED)
    done = explain(world.given(DECLARED), "web-1", "base")
    assert (done.due, done.held) == (None, "")
    world.see_app("web-1", "base", drift=(Drift("file:/etc/base", "change"),))
    world.see("web-1", paused={"base": "INC-42"})
    drifted = explain(world.given(DECLARED), "web-1", "base")
    assert (drifted.due, drifted.held) == (Due.DRIFTED, "paused: INC-42")
    assert explain(world.given(DECLARED, secrets=None), "web-1", "web").due is Due.SECRETS_UNKNOWN
