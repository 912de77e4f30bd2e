"""Resources of a bundle, rendered for a host."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import Place
from reconciler.rendering import Renderer, RenderFailed, RenderMemory

from .apps import bundle, config, file, problem, problems, shown, template


def render(*resources: Any, values: Any = None, **more: Any) -> Any:
    return Renderer(bundle(*resources, **more)).render(values or config()).resources


def test_a_file_gets_its_text_from_its_template() -> None:
    (found,) = render(
        {**file(template="nginx/site.conf.j2", mode="0644"), "name": "site", "keep": True},
        templates={"nginx/site.conf.j2": "listen {{ nginx_port }};\nserver_name {{ host.name }};\n"},
        values=config(nginx_port=80),
    )

    assert found.id == "file:/etc/app.conf"
    assert (found.kind, found.name, found.keep, found.unknown, found.secrets) == ("file", "site", True, "", ())
    assert found.fields == {
        "path": "/etc/app.conf",
        "mode": "0644",
        "content": "listen 80;\nserver_name web-1;\n",
    }
    assert found.path == ("resources", 0)


def test_a_source_is_copied_as_it_is_and_content_is_rendered() -> None:
    copied, inline = render(
        file("/a", source="raw.txt"),
        file("/b", content="on {{ host.name }}\n"),
        templates={"raw.txt": "{{ not rendered }}\n"},
    )

    assert copied.fields["content"] == "{{ not rendered }}\n"
    assert inline.fields["content"] == "on web-1\n"


def test_the_key_of_a_repository_may_be_a_file_below_templates() -> None:
    armoured = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n{{ not rendered }}\n"

    def key(written: Any) -> Any:
        resource = {"kind": "repository", "fields": {"name": "nginx", "uri": "https://nginx.org", "key": written}}
        (found,) = render(resource, templates={"nginx.asc": armoured}, values=config(armoured="text"))
        return found.fields["key"]

    assert key("nginx.asc") == armoured
    assert key("/usr/share/keyrings/nginx.gpg") == "/usr/share/keyrings/nginx.gpg"
    assert key("{{ armoured }}") == "text"


def test_a_text_that_is_one_expression_keeps_its_type() -> None:
    (found,) = render(
        {
            "kind": "service",
            "fields": {"name": "x", "port": "{{ port }}", "label": "p{{ port }}", "list": ["{{ all }}"]},
        },
        values=config(port=80, all=[1, {"a": None}]),
    )

    assert found.fields == {"name": "x", "port": 80, "label": "p80", "list": [[1, {"a": None}]]}


def test_keys_of_maps_are_not_rendered() -> None:
    (found,) = render({"kind": "command", "fields": {"argv": ["env"], "env": {"{{ a }}": "{{ host.name }}"}}})

    assert found.fields["env"] == {"{{ a }}": "web-1"}


@pytest.mark.parametrize(("when", "present"), [("host.labels.env == 'prod'", True), ("host.name == 'db-1'", False)])
def test_a_resource_whose_when_is_false_is_absent(when: str, present: bool) -> None:  # noqa: FBT001
    assert bool(render({**file(content=""), "when": when})) is present


def test_for_each_goes_through_lists_maps_and_expressions() -> None:
    ids = [
        resource.id
        for resource in render(
            {**file("/l/{{ key }}-{{ item }}"), "forEach": ["a", "{{ host.name }}"]},
            {**file("/m/{{ key }}-{{ item.port }}"), "forEach": {"b": {"port": 2}, "a": {"port": 1}}},
            {**file("/e/{{ item }}"), "forEach": "vars.names | sort", "when": "item != 'no'"},
            values={**config(), "vars": {"names": ["y", "no", "x"]}},
        )
    ]

    assert ids == ["file:/l/0-a", "file:/l/1-web-1", "file:/m/a-1", "file:/m/b-2", "file:/e/x", "file:/e/y"]


def test_blocks_nest_and_the_inner_item_hides_the_outer() -> None:
    inner = {"block": [file("/{{ item }}")], "forEach": "item.names"}
    found = render(
        {"block": [{"kind": "directory", "fields": {"path": "/d{{ key }}"}}, inner], "forEach": [{"names": ["a", "b"]}]}
    )

    assert [resource.id for resource in found] == ["directory:/d0", "file:/a", "file:/b"]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"kind": "command", "fields": {"argv": ["a", "b c"]}}, "command:a 'b c'"),
        ({"kind": "command", "name": "migrate", "fields": {"argv": ["a"]}}, "command:migrate"),
        ({"kind": "package", "fields": {"name": ["a", "b"]}}, "package:a,b"),
        ({"kind": "sysctl", "fields": {"key": "vm.swappiness", "value": 1}}, "sysctl:vm.swappiness"),
        ({"kind": "line", "fields": {"path": "/etc/hosts", "line": "::1 a"}}, "line:/etc/hosts ::1 a"),
        ({"kind": "file", "name": "site", "fields": {"path": "/x"}}, "file:/x"),
        ({"kind": "file", "fields": {"path": "/x/{{ 1 + 1 }}", "content": "{{ 3 }}"}}, "file:/x/2"),
        ({"kind": "line", "fields": {"path": "/etc/hosts", "line": "a", "match": "{{ 2 }}"}}, "line:/etc/hosts 2"),
        ({"kind": "command", "name": "{{ 'mi' }}grate", "fields": {"argv": ["a"]}}, "command:migrate"),
        ({"kind": "sysctl", "fields": {"key": "vm.swappiness", "value": "{{ 1 }}"}}, "sysctl:vm.swappiness"),
    ],
)
def test_a_resource_is_known_by_its_kind_and_key(resource: dict[str, Any], expected: str) -> None:
    assert render(resource)[0].id == expected


def test_two_resources_that_claim_the_same_thing_are_a_problem() -> None:
    with pytest.raises(RenderFailed, match="file:/a is declared twice") as failed:
        render(file("/a"), {**file("/{{ item }}"), "forEach": ["a"]})

    assert failed.value.faults[0].path == ("resources", 1)


def test_health_checks_are_rendered() -> None:
    check = {"http": {"url": "http://127.0.0.1:{{ port }}/"}, "within": "30s"}

    rendered = Renderer(bundle(health=[check])).render(config(port=80))

    assert rendered.health == ({"http": {"url": "http://127.0.0.1:80/"}, "within": "30s"},)


def test_includes_imports_and_parents_come_from_the_bundle() -> None:
    (found,) = render(
        file(template="child.j2"),
        templates={
            "child.j2": "{% extends 'base.j2' %}{% block body %}"
            "{% import 'm.j2' as m %}{{ m.twice(host.name) }}{% endblock %}",
            "base.j2": "<{% block body %}{% endblock %}>{% include 'end.j2' %}",
            "m.j2": "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}",
            "end.j2": "{{ port }}",
        },
        values=config(port=80),
    )

    assert found.fields["content"] == "<web-1web-1>80"


def test_hosts_gives_what_the_planner_froze() -> None:
    text = "{% for db in hosts('role=db,env=' ~ host.labels.env) %}{{ db.address }};{% endfor %}"
    values = {**config(), "hosts": {"role=db,env=prod": [{"address": "10.0.0.1"}, {"address": "10.0.0.2"}]}}

    assert shown(text, values=values) == "10.0.0.1;10.0.0.2;"


def test_selectors_of_hosts_are_found_without_rendering() -> None:
    text = "{% if never %}{{ hosts('role=db,env=' ~ host.labels.env) }}{% endif %}{% include 'b.j2' %}"
    renderer = Renderer(bundle(file(template="a.j2"), templates={"a.j2": text, "b.j2": "{{ hosts(peers) }}"}))

    assert renderer.host_selectors(config(peers="role=web")) == ("role=db,env=prod", "role=web")


@pytest.mark.parametrize(
    "text", ["{% for x in a %}{{ hosts(x) }}{% endfor %}", "{{ hosts(facts.role) }}", "{% set s = 'a' %}{{ hosts(s) }}"]
)
def test_a_selector_that_is_known_only_while_rendering_is_a_problem(text: str) -> None:
    renderer = Renderer(bundle(file(template="a.j2"), templates={"a.j2": "\n" + text}))

    with pytest.raises(RenderFailed, match=r"templates/a\.j2:2: hosts\(\.\.\.\) depends on") as failed:
        renderer.host_selectors(config(a=["x"]))
    assert failed.value.problems[0].code == "hosts-selector"


def test_keys_of_maps_come_before_methods() -> None:
    assert shown("{{ a.items }} {{ a.keys() }} {{ a['get'] }}", a={"items": 1, "get": 2}) == "1 ['get', 'items'] 2"


def test_blank_lines_of_blocks_are_trimmed_and_the_last_newline_stays() -> None:
    assert shown("{% if true %}\n  {% set x = 1 %}\nx={{ x }}\n{% endif %}\n\n") == "x=1\n\n"


def test_every_undefined_name_is_told_with_its_line_and_a_hint() -> None:
    found = problems(
        "{{ docroot }}\n{% for x in host.labls.list %}\n{% endfor %}\n{{ ngnix_port }} {{ ngnix_port }}", nginx_port=80
    )

    assert [str(one) for one in found] == [
        'templates/a.j2:1: "docroot" is undefined for webapp on web-1. Available: nginx_port',
        'templates/a.j2:2: "labls" is undefined for webapp on web-1. Did you mean labels? Available: labels, name',
        (
            'templates/a.j2:4: "ngnix_port" is undefined for webapp on web-1. '
            "Did you mean nginx_port? Available: nginx_port"
        ),
    ]
    assert [one.code for one in found] == ["undefined", "undefined-key", "undefined"]


def test_what_may_be_missing_is_no_problem() -> None:
    assert shown("{{ a | default('x') }}{{ b is defined }}{% if c is not defined %}y{% endif %}") == "xFalsey"


def test_names_that_the_values_do_not_hold_can_be_suggested() -> None:
    renderer = Renderer(bundle(file(content="{{ docroot }}")))

    with pytest.raises(RenderFailed, match="Did you mean nginx_docroot"):
        renderer.render({"config": {}}, names=["nginx_docroot"], host="web-7")


def test_a_problem_in_a_manifests_text_leads_to_its_place_in_the_bundle() -> None:
    block = {"block": [file("/a"), {**file("/b", content="{{ x }}"), "when": "y"}], "forEach": "z"}
    with pytest.raises(RenderFailed) as failed:
        render(block, {"kind": "command", "fields": {"argv": ["a", "{{ x +"]}}, {**block, "forEach": [1]})

    assert [(fault.path, fault.problem.code) for fault in failed.value.faults] == [
        (("resources", 0, "forEach"), "undefined"),
        (("resources", 1, "fields", "argv"), "template-syntax"),
        (("resources", 2, "block", 1, "when"), "undefined"),
    ]


def test_for_each_over_something_else_is_a_problem() -> None:
    with pytest.raises(RenderFailed, match="forEach takes a list or a map, not int"):
        render({**file(), "forEach": "1 + 1"})


def test_a_template_that_does_not_exist_is_a_problem_with_its_line() -> None:
    assert problem("\n{% include 'b.js2' %}").place == Place(file="templates/a.j2", line=2)
    with pytest.raises(RenderFailed, match=r'there is no template "b\.j2" .* Did you mean a\.j2'):
        render(file(template="b.j2"), templates={"a.j2": ""})


def test_an_included_template_that_cannot_be_read_is_told_with_its_own_line() -> None:
    with pytest.raises(RenderFailed, match=r"templates/b\.j2:2: expected an expression"):
        render(file(template="a.j2"), templates={"a.j2": "{% include 'b.j2' %}", "b.j2": "\n{% if %}"})


def test_an_error_in_a_macro_is_told_where_the_macro_stands() -> None:
    with pytest.raises(
        RenderFailed, match=r"templates/m\.j2:2: integer division or modulo by zero \(webapp on web-1\)"
    ):
        render(
            file(template="a.j2"),
            templates={
                "a.j2": "{% from 'm.j2' import f %}{{ f() }}",
                "m.j2": "{% macro f() %}\n{{ 1 // 0 }}{% endmacro %}",
            },
        )


def test_facts_that_are_not_known_make_only_their_resource_unknown() -> None:
    known, unknown = render(
        file("/known", content="{{ host.name }}"),
        file("/etc/{{ host.name }}.conf", content="{{ facts.os.id }}"),
        values={**config(), "facts": None},
    )

    assert known.unknown == ""
    assert unknown.unknown == "depends on facts of the host, which are not known yet"
    assert unknown.id == "file:/etc/web-1.conf"


@pytest.mark.parametrize("field", ["when", "forEach"])
def test_a_decision_over_unknown_facts_makes_the_resource_unknown(field: str) -> None:
    (found,) = render({**file("/a", content="x"), field: "facts.names"}, values={**config(), "facts": None})

    assert (found.id, bool(found.unknown)) == ("file:/a", True)


def test_an_unknown_resource_changes_its_fingerprint_with_the_values_that_it_reads() -> None:
    resource = file(content="{{ facts.os }} {{ a }}")
    prints = {render(resource, values={**config(a=a), "facts": None})[0].fingerprint for a in (1, 2)}

    assert len(prints) == 2


def test_a_fingerprint_is_that_of_what_is_wanted() -> None:
    one = template("{{ a }}", a="1").fingerprint

    assert one == template("{{ 1 }}").fingerprint
    assert one != template("{{ a }}", a="2").fingerprint


def test_values_that_only_look_equal_are_rendered_apart() -> None:
    renderer = Renderer(bundle(file(content="{{ a }}")))

    texts = [
        str(renderer.render(config(a=value)).resources[0].fields["content"]) for value in (1, 1.0, True, "True", None)
    ]

    assert texts == ["1", "1.0", "True", "True", "None"]


def test_equal_values_are_rendered_once() -> None:
    renderer = Renderer(bundle(file(content="{{ a.b }}")))

    first, second = (renderer.render({**config(a={"b": 1, "c": unread})}) for unread in (1, 2))

    assert first.resources[0] is second.resources[0]


def test_what_is_tried_out_for_one_host_is_the_same_and_is_not_remembered() -> None:
    memory: RenderMemory = {}
    app = bundle(file(content="{{ a }} on {{ host.name }}"), health=[{"tcp": {"port": "{{ a }}"}}])

    tried = Renderer(app, memory).try_out(config(a=1))

    assert memory == {}
    assert tried == Renderer(app).render(config(a=1))
    with pytest.raises(RenderFailed, match='"a" is undefined for webapp on web-2'):
        Renderer(app).try_out({"config": {}}, host="web-2")


def test_what_no_changed_template_leads_to_is_rendered_once_for_both_bundles() -> None:
    memory: RenderMemory = {}
    resources = (file("/a", template="a.j2"), file("/b", template="b.j2"))
    includes = "{% include 'c.j2' %}"

    (a, b), (other_a, other_b) = (
        Renderer(bundle(*resources, templates={"a.j2": "{{ x }}", "b.j2": includes, "c.j2": text}), memory)
        .render(config(x=1))
        .resources
        for text in ("1", "2")
    )

    assert a is other_a
    assert (b.fields["content"], other_b.fields["content"]) == ("1", "2")


def test_a_macro_that_failed_once_fails_again() -> None:
    templates = {"a.j2": "{% import 'm.j2' as m %}{{ m.x }}", "m.j2": "{{ gone }}{% set x = 1 %}"}
    renderer = Renderer(bundle(file(template="a.j2"), templates=templates))

    for _ in range(2):
        with pytest.raises(RenderFailed, match='"gone" is undefined'):
            renderer.render(config())


def test_a_text_of_a_manifest_may_include_a_template_and_then_reads_what_that_reads() -> None:
    memory: dict[Any, Any] = {}
    found = []
    for text in ("{{ port | default('none') }}", "now {{ port | default('none') }}"):
        check = {"http": {"url": "http://localhost:{% include 'a.j2' %}"}}
        content = bundle(file(content="{% include 'a.j2' %}"), templates={"a.j2": text}, health=[check])
        rendered = Renderer(content, memory).render(config(port=80))
        found.append((rendered.resources[0].fields["content"], rendered.health[0]["http"]["url"]))
    assert found == [("80", "http://localhost:80"), ("now 80", "http://localhost:now 80")]
