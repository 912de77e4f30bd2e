"""Templates that would never end, fill the memory or reach for Python: each stops with a clear problem."""

from __future__ import annotations

import threading

import pytest

from reconciler.rendering import Renderer, RenderFailed, check_template

from .apps import bundle, config, file, problem, shown

ENDLESS = {
    "nested loops": "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
    "loop whose test fails": (
        "{% for i in range(100000) %}{% for j in range(100000) if false %}{% endfor %}{% endfor %}"
    ),
    "loop over filters": "{% for i in range(100000) %}{% set x = range(100000) | map('string') | list %}{% endfor %}",
    "comparing long lists": "{% set a = range(9999) | list %}{% for i in range(9999) %}{{ a == a[:] }}{% endfor %}",
    "searching long texts": (
        "{% set a = 'x' * 8000000 %}{% for i in range(9999) %}{% if 'y' in a %}{% endif %}{% endfor %}"
    ),
    "cutting long texts": "{% set a = 'x' * 8000000 %}{% for i in range(9999) %}{% set b = a[1:] %}{% endfor %}",
    "many copies": "{{ 'x' * 10 ** 9 }}",
    "a long list": "{{ [1] * 10 ** 9 }}",
    "a huge range": "{{ range(10 ** 30) | list }}",
    "a huge number": "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x ** 9 %}{% endfor %}",
    "a width in a format": "{{ '%1000000000d' % 1 }}",
    "a width in an argument": "{{ '%*d' % (10 ** 9, 1) }}",
    "a width in braces": "{{ '{:1000000000d}'.format(1) }}",
    "a width in nested braces": "{{ '{:{}}'.format(1, 10 ** 9) }}",
    "a wide filter": "{{ 'x' | center(10 ** 9) }}",
    "a wide method": "{{ 'x'.ljust(10 ** 9) }}",
    "wide tabs": "{{ '\t'.expandtabs(tabsize=10 ** 9) }}",
    "wide indentation": "{{ ('\n' * 99999) | indent(99999) }}",
    "a growing replacement": "{{ ('a' * 99999) | replace('a', 'b' * 99999) }}",
    "a growing pattern": "{{ ('a' * 99999) | regex_replace('a', 'b' * 99999) }}",
    "a long separator": "{{ range(99999) | join('x' * 99999) }}",
    "many fillers": "{{ [1] | batch(10 ** 9, 0) }}",
    "many slices": "{{ [1] | slice(10 ** 9) }}",
    "doubling a text": (
        "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
    ),
    "doubling a list": (
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
    ),
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "a template that includes itself": "{% include 'a.j2' %}",
    "a loop that descends for ever": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "a pattern that backtracks": "{{ ('a' * 5000 ~ 'b') is search('(a|a)*$') }}",
    "a pattern that repeats": "{{ 'a' | regex_search('((((a{1000}){1000}){1000}){1000})') }}",
    "brackets in brackets": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "filters on filters": "{{ 1" + " | abs" * 3000 + " }}",
    "blocks in blocks": "{% if a %}" * 300 + "{% endif %}" * 300,
    "too many words": "{{ a }}" * 20_000,
    "too long": "x" * (2 << 20),
    "deep JSON": "{{ ('[' * 99999) | from_json }}",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_stops(text: str) -> None:
    found = problem(text, a=1)

    assert found.code == "template-limit"
    assert found.place.file == "templates/a.j2"


@pytest.mark.parametrize("text", ["{{ ('[' * 3000) | from_yaml }}", "{{ 'a: &a [1]\nb: *a\n' | from_yaml }}"])
def test_yaml_that_would_explode_is_refused(text: str) -> None:
    assert problem(text).message.startswith("from_yaml reads no")


def test_a_limit_is_told_with_its_line() -> None:
    assert problem("\n\n{{ 'x' * 10 ** 9 }}").place.line == 3


def test_a_limit_holds_in_any_thread() -> None:
    found: list[str] = []
    text = ENDLESS["doubling a list"]
    thread = threading.Thread(target=lambda: found.append(problem(text).code))
    thread.start()
    thread.join()

    assert found == ["template-limit"]


def test_the_first_limit_ends_the_app() -> None:
    endless = file("/{{ item }}", content=ENDLESS["doubling a text"])
    renderer = Renderer(bundle({**endless, "forEach": [1]}, {**endless, "forEach": [2]}))

    with pytest.raises(RenderFailed) as failed:
        renderer.render(config())
    assert len(failed.value.faults) == 1


def test_ordinary_sizes_are_no_problem() -> None:
    line = "server 10.0.0.{{ h % 250 }}:{{ port }} weight={{ h | string | length }};\n"
    text = "{% for h in range(3000) %}" + line + "{% endfor %}"

    assert shown(text, port=80).count("\n") == 3000


ESCAPES = {
    "an attribute": "{{ ''.__class__.__mro__ }}",
    "an item": "{{ ''['__class__'] }}",
    "a filter": "{{ '' | attr('__class__') }}",
    "map": "{{ [''] | map(attribute='__class__') | list }}",
    "a function": "{{ cycler.__init__.__globals__ }}",
    "a macro": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "the environment": "{{ self._TemplateReference__context }}",
    "a computed name": "{{ '' | attr('__cla' ~ 'ss__') }}",
    "a computed item": "{{ ''['__cla' ~ 'ss__'] }}",
    "a computed map": "{{ [''] | map(attribute='__cla' ~ 'ss__') | list }}",
    "format": "{{ '{0.__class__}'.format(1) }}",
    "a method of a class": "{{ dict.fromkeys }}",
    "changing a list": "{{ a.append(1) }}",
    "changing a map": "{{ {}.update(a=1) }}",
    "bytes": "{{ 'a'.encode() }}",
}


@pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
def test_reaching_for_python_is_refused(text: str) -> None:
    from .apps import problems

    found = problems("\n" + text, a=[1])

    assert {(one.code, one.place.file, one.place.line) for one in found} == {("template-unsafe", "templates/a.j2", 2)}


@pytest.mark.parametrize("name", ["an attribute", "an item", "a filter", "map", "a function"])
def test_what_reaches_for_python_openly_is_found_before_rendering(name: str) -> None:
    assert {found.code for found in check_template("a.j2", ESCAPES[name])} == {"template-unsafe"}


def test_a_check_finds_unknown_filters_and_broken_syntax() -> None:
    (unknown,) = check_template("a.j2", "{% if a %}\n{{ a | to_jsn }}{% endif %}")
    (broken,) = check_template("a.j2", "\n{% for %}")

    assert str(unknown) == 'templates/a.j2:2: there is no filter "to_jsn". Did you mean to_json?'
    assert (broken.place.line, broken.code) == (2, "template-syntax")
    assert check_template("a.j2", "{{ a | to_json }}") == []


@pytest.mark.parametrize(
    "text", ["{% macro m() %}{% endmacro %}{{ m }}", "{{ [cycler] }}", "{{ namespace() }}", "{{ range }}"]
)
def test_only_values_can_be_written(text: str) -> None:
    assert "is no value that can be written" in problem(text).message
