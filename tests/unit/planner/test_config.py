"""Precedence: App < Group by priority < Host; maps merge, everything else replaces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.errors import InvalidInput
from reconciler.model.manifests import App
from tests.fakes.fleet import app, compose, file, group, host, manifests


def reading(*names: str, hosts: str = "*", **config: Any) -> App:
    """An app that reads these of its values."""
    text = " ".join(f"{{{{ {name} | to_json }}}}" for name in names)
    return app("web", file("/etc/web", text), hosts=hosts, config=config)


def values(*things: Any) -> Any:
    """The values of `web` on `web-1`."""
    return json.loads(compose(manifests(*things)).hosts["web-1"]["web"].values)


def problems(*things: Any, templates: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        compose(manifests(*things, templates=templates))
    return [str(problem) for problem in caught.value.problems]


def test_a_higher_priority_wins_and_the_host_has_the_last_word() -> None:
    found = values(
        reading("a", "b", "c", a=1, b=1, c=1),
        group("low", priority=1, config={"web": {"a": 2, "b": 2, "c": 2}}),
        group("high", priority=2, config={"web": {"b": 3, "c": 3}}),
        host("web-1", config={"web": {"c": 4}}),
    )
    assert found["config"] == {"a": 2, "b": 3, "c": 4}


def test_a_group_has_no_say_on_hosts_that_its_selector_does_not_pick() -> None:
    other = group("db", "role=db", config={"web": {"a": 2}})
    assert values(reading("a", a=1), other, host("web-1", {"role": "web"}))["config"] == {"a": 1}


def test_maps_merge_and_lists_replace() -> None:
    found = values(
        reading("tls", "names", tls={"on": True, "port": 443}, names=["a", "b"]),
        host("web-1", config={"web": {"tls": {"port": 8443}, "names": ["c"]}}),
    )
    assert found["config"] == {"tls": {"on": True, "port": 8443}, "names": ["c"]}


def test_a_secret_replaces_a_map_and_is_not_merged_with_it() -> None:
    thing = app("web", file("/etc/web", "{{ password }}"), config={"password": {"user": "a", "name": "b"}})
    found = values(thing, host("web-1", config={"web": {"password": {"secret": "web/new"}}}))
    assert found["config"] == {"password": {"secret": "web/new"}}


def test_vars_follow_the_same_order() -> None:
    thing = app("web", file("/etc/web", "{{ vars.zone }} {{ vars.ntp }}"))
    low = group("all", vars={"zone": "eu", "ntp": "a"})
    assert values(thing, low, host("web-1", vars={"ntp": "b"}))["vars"] == {"ntp": "b", "zone": "eu"}


def test_null_must_be_set_elsewhere_and_the_example_host_is_named_once() -> None:
    things = [reading("port", port=None), host("web-1"), host("web-2")]
    (problem,) = problems(*things)
    assert problem == (
        "manifests/apps/web.yaml#spec.config.port: web needs config port, which nothing sets for web-1."
        " Set config.web.port in a Group or Host."
    )


def test_null_is_fine_on_hosts_where_it_is_set() -> None:
    things = [reading("port", port=None), group("all", config={"web": {"port": 80}}), host("web-1")]
    assert values(*things)["config"] == {"port": 80}


def test_groups_of_equal_priority_must_agree() -> None:
    things = [
        reading("port", port=80),
        group("one", priority=5, config={"web": {"port": 81}}),
        group("two", priority=5, config={"web": {"port": 82}}),
        host("web-1"),
    ]
    (problem,) = problems(*things)
    assert problem == (
        "manifests/groups/two.yaml#spec.config.web.port: Group one (priority 5) and Group two (priority 5) disagree on"
        " port in config of web, for example on web-1. Give one of them a higher priority."
    )


def test_groups_of_equal_priority_may_agree_or_speak_of_different_values() -> None:
    things = [
        reading("port", "name", port=80, name="x"),
        group("one", config={"web": {"port": 81}}),
        group("two", config={"web": {"port": 81, "name": "y"}}),
        host("web-1"),
    ]
    assert values(*things)["config"] == {"name": "y", "port": 81}


def test_an_expression_sees_the_host_vars_and_other_hosts_and_keeps_its_type() -> None:
    database = app("db", file("/etc/db"), hosts="role=db", config={"port": 3306})
    thing = reading(
        "port",
        "address",
        "name",
        hosts="name=web-1",
        port="{{ (hosts('app=db') | first).config.db.port }}",
        address="{{ (hosts('app=db,env=' ~ host.labels.env) | first).address }}",
        name="{{ host.name }}.{{ vars.domain }}",
    )
    found = values(
        thing,
        database,
        host("db-1", {"role": "db", "env": "prod"}, address="10.0.0.1"),
        host("web-1", {"env": "prod"}, vars={"domain": "example.org"}),
    )
    assert found["config"] == {"port": 3306, "address": "10.0.0.1", "name": "web-1.example.org"}


def test_values_that_read_each_other_are_named_as_a_circle() -> None:
    one = "{{ (hosts('name=web-2') | first).config.web.peer }}"
    two = "{{ (hosts('name=web-1') | first).config.web.peer }}"
    things = [
        reading("peer", peer="none"),
        host("web-1", config={"web": {"peer": one}}),
        host("web-2", config={"web": {"peer": two}}),
    ]
    (problem,) = problems(*things)
    assert "web.peer on web-1 -> web.peer on web-2 -> web.peer on web-1" in problem
    assert problem.startswith("manifests/hosts/web-1.yaml#spec.config.web.peer: ")


def test_facts_are_not_known_in_config() -> None:
    things = [reading("cores", cores="{{ facts.cores }}"), host("web-1")]
    (problem,) = problems(*things)
    assert problem.startswith("manifests/apps/web.yaml#spec.config.cores: ")
    assert "facts" in problem


def test_an_undefined_name_in_config_is_told_where_it_was_written() -> None:
    things = [
        reading("name", name="x"),
        group("all", config={"web": {"name": "{{ vars.domian }}"}}, vars={"domain": "x"}),
        host("web-1"),
        host("web-2"),
    ]
    (problem,) = problems(*things)
    assert problem.startswith("manifests/groups/all.yaml#spec.config.web.name: ")
    assert "domian" in problem
    assert "web on web-1" in problem


def test_every_problem_is_told_at_once() -> None:
    things = [
        reading("port", "name", port=None, name="{{ vars.nothing }}"),
        app("other", file("/etc/other", "{{ missing }}"), config={"given": 1}),
        host("web-1"),
    ]
    assert len(problems(*things)) == 3
