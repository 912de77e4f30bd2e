"""Templates that would never end, fill the memory or reach for Python: each stops with a clear problem."""

from __future__ import annotations

import threading

import pytest

from reconciler.rendering import Renderer, RenderFailed, check_template

from .apps import bundle, config, file, problem, problems, shown

MUCH = "{% set a = 'x' * 8000000 %}{% set b = 'x' * 8000000 %}"
"""Leaves a third of what a render may do."""
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
    "dividing a huge number": "{% set a = ('f' * 8000000) | int(0, 16) %}{{ a // 12345 }}",
    "the rest of huge numbers": "{% set a = ('f' * 8000000) | int(0, 16) %}{{ a % 12345 }}",
    "a huge number in JSON": "{{ ('9' * 4000) | from_json }}",
    "subtracting up": (
        "{% set ns = namespace(x=9) %}{% for i in range(99999) %}{% set ns.x = ns.x - (-ns.x) %}{% endfor %}"
    ),
    "adding up": "{% set ns = namespace(x=9) %}{% for i in range(99999) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "a huge sum": "{{ [2 ** 4000] * 4 | sum }}{{ ([2 ** 4095] * 4) | sum }}",
    "a number of many digits": "{{ " + "9" * 100_000 + " }}",
    "a hexadecimal number of many digits": "{{ 0x" + "f" * 100_000 + " }}",
    "a number of 41 digits": "{{ " + "9" * 41 + " }}",
    "a duration of many digits": "{{ " + "9" * 400 + "s }}",
    "a number beyond floats": "{{ 1e999 }}",
    "many patterns": "{% for i in range(20000) %}{{ 'x' | regex_search('a{9999}' ~ i) }}{% endfor %}",
    "much YAML": MUCH + "{{ ('- a\n' * 24000) | from_yaml }}",
    "braces": "{" * 60_000,
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_stops(text: str) -> None:
    found = problem(text, a=1)

    assert found.code == "template-limit"
    assert found.place.file == "templates/a.j2"


@pytest.mark.parametrize("text", ["{{ ('[' * 3000) | from_yaml }}", "{{ 'a: &a [1]\nb: *a\n' | from_yaml }}"])
def test_yaml_that_would_explode_is_refused(text: str) -> None:
    assert problem(text).message.startswith("from_yaml reads no")


def test_numbers_are_exact_up_to_the_limit() -> None:
    assert shown("{{ 2 ** 2000 - 2 ** 2000 + 9 // 2 - 7 % 4 }}") == "1"
    assert shown("{{ " + "9" * 40 + " }}") == "9" * 40


def test_a_pattern_is_paid_for_once() -> None:
    text = "{% for i in range(20000) %}{% if 'x' is search('[a-z]{300}') %}{% endif %}{% endfor %}"

    assert shown(text) == ""


def test_a_pattern_costs_the_same_wherever_it_was_compiled_before() -> None:
    text = MUCH + "{% for i in range(200) %}{{ 'x' | regex_search('(a|b){9999}x' ~ i) }}{% endfor %}"

    assert [problem(text).code for _ in range(2)] == ["template-limit"] * 2


def test_only_the_first_undefined_names_are_told() -> None:
    found = problems("".join(f"{{{{ name{number} }}}}" for number in range(5000)))

    assert len(found) == 100


def test_only_the_first_unknown_filters_are_told() -> None:
    text = "".join(f"{{{{ 1 | filter{number} }}}}" for number in range(5000))

    assert len(check_template("a.j2", text)) == 100


def test_a_pattern_that_cannot_be_read_is_quoted_in_part() -> None:
    found = problem("{{ 'x' | regex_search('(' ~ 'a' * 3000) }}")

    assert found.message.startswith(f"cannot read the regular expression '({'a' * 76}...'")


def test_loops_in_loops_make_no_more_than_an_app_may_have() -> None:
    inner = {**file("/{{ item }}"), "forEach": "many"}
    renderer = Renderer(bundle({"block": [inner], "forEach": "many"}))

    with pytest.raises(RenderFailed) as failed:
        renderer.render(config(many=list(range(101))))
    (found,) = failed.value.problems
    assert found.code == "template-limit"
    assert found.message.startswith("it makes more than 10,000 resources of one host")


def test_conditions_in_loops_count_too() -> None:
    inner = {**file("/{{ item }}"), "forEach": "many", "when": "false"}
    renderer = Renderer(bundle({"block": [inner], "forEach": "many"}))

    with pytest.raises(RenderFailed, match="more than 10,000"):
        renderer.render(config(many=list(range(101))))


def test_many_loops_make_no_more_than_an_app_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.rendering.renderer.MAX_ITEMS", 100)
    renderer = Renderer(bundle(*({**file(f"/{n}/{{{{ item }}}}"), "forEach": "many"} for n in range(11))))

    assert len(renderer.render(config(many=list(range(9)))).resources) == 99
    with pytest.raises(RenderFailed, match="it makes more than"):
        renderer.render(config(many=list(range(10))))


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


def test_a_block_or_key_that_is_not_there_is_named() -> None:
    assert problem("{{ self.x }}").message == 'there is no block "x" for webapp on web-1'
    assert problem("{{ [{'a': 1}] | items2dict }}").message == 'there is no key "key" (webapp on web-1)'
