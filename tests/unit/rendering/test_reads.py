"""What templates read, found without running them."""

from __future__ import annotations

import pytest

from reconciler.rendering import Renderer, closure, pick

from .apps import bundle, file


def reads(text: str, **templates: str) -> set[str]:
    given = {"a.j2": text, **{name.replace("_", "."): other for name, other in templates.items()}}
    return {".".join(path) for path in Renderer(bundle(file(template="a.j2"), templates=given)).reads}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ port }}", {"config.port"}),
        ("{{ db.host }} {{ db['port'] }}", {"config.db.host", "config.db.port"}),
        ("{{ host.labels.env }}{{ vars.x }}{{ facts.os.id }}", {"host.labels.env", "vars.x", "facts.os.id"}),
        ("{{ host.labels[role] }}", {"host.labels", "config.role"}),
        ("{{ vars.list[0].name }}", {"vars.list"}),
        ("{{ vars.a.items() }}", {"vars.a"}),
        ("{{ vars.a }}{{ vars.a.b }}", {"vars.a"}),
        ("{% for x in vars.list %}{{ x.name }}{{ loop.index }}{% endfor %}", {"vars.list"}),
        ("{% set y = host %}{{ y.name }}", {"host"}),
        ("{% if z %}{% set y = 1 %}{% endif %}{{ y }}", {"config.z", "config.y"}),
        ("{% with a = b.c %}{{ a }}{% endwith %}", {"config.b.c"}),
        ("{% macro m(p, q=r) %}{{ p }}{{ q }}{{ s }}{% endmacro %}{{ m(t) }}", {"config.r", "config.s", "config.t"}),
        ("{{ x is defined }}{{ y | default(z) }}", {"config.x", "config.y", "config.z"}),
        ("{{ range(3) | map('string') | list }}{{ namespace() }}", set()),
        ("{{ hosts('role=' ~ host.labels.role) | length }}", {"hosts", "host.labels.role"}),
        ("{% filter replace(a, b) %}{{ c }}{% endfilter %}", {"config.a", "config.b", "config.c"}),
    ],
)
def test_a_template_reads(text: str, expected: set[str]) -> None:
    assert reads(text) == expected


def test_reads_go_through_includes_imports_and_parents() -> None:
    text = (
        "{% extends 'base.j2' %}{% import 'm.j2' as m with context %}{% block b %}{% include ['c.j2'] %}{% endblock %}"
    )

    found = reads(
        text, base_j2="{{ base }}", m_j2="{{ macro }}", c_j2="{% include 'd.j2' %}", d_j2="{{ deep }}", e_j2="{{ no }}"
    )

    assert found == {"config.base", "config.macro", "config.deep"}


def test_a_computed_include_may_read_what_any_template_reads() -> None:
    assert reads("{% include kind ~ '.j2' %}", b_j2="{{ b }}") == {"config.kind", "config.b"}


def test_resources_read_in_fields_when_for_each_and_health() -> None:
    resource = {**file("/{{ a }}", content="{{ item.x }}{{ b }}"), "when": "c", "forEach": "vars.d", "name": "{{ e }}"}
    renderer = Renderer(bundle({"block": [resource], "when": "f"}, health=[{"tcp": {"port": "{{ g }}"}}]))

    assert {path[-1] for path in renderer.reads} == set("abcdefg")


def test_picking_keeps_what_is_read_and_leaves_the_rest() -> None:
    values = {"config": {"a": {"b": 1, "c": 2}, "p": {"secret": "x"}}, "vars": {"l": [1]}, "facts": None, "host": {}}

    assert pick(
        values, [("config", "a", "b"), ("config", "p", "q"), ("vars", "l", "x"), ("facts", "os"), ("gone",)]
    ) == {
        "config": {"a": {"b": 1}, "p": {"secret": "x"}},
        "vars": {"l": [1]},
        "facts": None,
    }


def test_the_closure_of_templates_is_what_a_bundle_needs() -> None:
    templates = {"a": "{% include 'b' %}{% include 'gone' %}", "b": "{% import 'c' as c %}", "c": "", "d": ""}

    assert closure(["a"], templates) == ("a", "b", "c")
