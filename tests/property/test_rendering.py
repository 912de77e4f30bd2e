"""Laws of rendering, over templates put together by chance."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.model.desired import Bundle
from reconciler.rendering import RenderedResource, Renderer, RenderFailed, check_template, pick, sight

SECRET = {"secret": "a/b"}
few = settings(max_examples=30)
"""Each example compiles a template."""
FILTERS = (  # noqa: SIM905 - words read more easily
    "upper trim quote b64encode to_json to_nice_yaml length default('x') string hash first last list unique sort"
    " join(',') indent replace('a','b') int bool ternary(1,2) regex_replace('e','i') to_json|from_json dict2items"
    " flatten combine({'z':1}) map('string') select batch(2) urlencode escape sum reverse wordcount items"
).split()
NAMES = (
    "a",
    "b.c",
    "b['d']",
    "p",
    "vars.v",
    "vars.deep.er",
    "vars[a]",
    "host.name",
    "'lit'",
    "[p, a]",
    "{'k': p}",
    "7",
)

atoms = st.sampled_from(NAMES)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(FILTERS)).map(lambda pair: f"({pair[0]} | {pair[1]})"),
        st.tuples(inner, st.sampled_from(["~", "+", "==", "in", "and", "or", "<", "%", "*"]), inner).map(
            lambda triple: f"({triple[0]} {triple[1]} {triple[2]})"
        ),
        st.tuples(inner, st.sampled_from(["defined", "string", "match('a')", "none", "number"])).map(
            lambda pair: f"({pair[0]} is {pair[1]})"
        ),
        st.tuples(inner, st.sampled_from([".strip()", ".items()", "[0]", "[1:]", ".k", ".format(p)", ".get('k')"])).map(
            "".join
        ),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
    ),
    max_leaves=6,
)
pieces = st.recursive(
    st.one_of(expressions.map(lambda text: "{{ " + text + " }}"), st.sampled_from(["text\n", " "])),
    lambda inner: st.one_of(
        st.tuples(expressions, inner).map(lambda pair: f"{{% if {pair[0]} %}}{pair[1]}{{% endif %}}"),
        st.tuples(expressions, inner).map(lambda pair: f"{{% for x in {pair[0]} %}}{pair[1]}{{{{ x }}}}{{% endfor %}}"),
        st.tuples(expressions, inner).map(lambda pair: f"{{% set y = {pair[0]} %}}{pair[1]}{{{{ y }}}}"),
        st.tuples(inner, inner).map(lambda pair: f"{{% macro m(a) %}}{pair[0]}{{% endmacro %}}{{{{ m(1) }}}}{pair[1]}"),
        st.tuples(inner, inner).map("".join),
        inner.map(lambda text: f"{{% filter upper %}}{text}{{% endfilter %}}"),
    ),
    max_leaves=5,
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("abe,1 ", max_size=4))
data = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("kcde"), inner, max_size=3)),
    max_leaves=6,
)
values = st.fixed_dictionaries(
    {
        "config": st.fixed_dictionaries(
            {"a": data, "b": st.fixed_dictionaries({"c": data, "d": data}), "p": st.just(SECRET)}
        ),
        "vars": st.fixed_dictionaries({"v": data, "deep": st.fixed_dictionaries({"er": data}), "more": data}),
        "host": st.just({"name": "web-1", "labels": {}}),
    }
)


def rendered(text: str, given_values: Any, secrets: dict[str, str] | None = None) -> RenderedResource | None:
    """The resource of a template; None where it cannot be rendered."""
    content = {
        "app": "webapp",
        "resources": [{"kind": "file", "fields": {"path": "/x", "template": "t"}}],
        "templates": {"t": text},
    }
    try:
        return Renderer(Bundle.of(content)).render(given_values, secrets).resources[0]
    except RenderFailed:
        return None


def reads_of(text: str) -> frozenset[tuple[str, ...]]:
    fields = {"path": "/x", "template": "t"}
    content = {"app": "webapp", "resources": [{"kind": "file", "fields": fields}], "templates": {"t": text}}
    return Renderer(Bundle.of(content)).reads


def backwards(value: Any) -> Any:
    """An equal value whose maps are in another order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@few
@given(pieces, values)
def test_equal_values_give_an_equal_rendering(text: str, one: Any) -> None:
    assert rendered(text, one) == rendered(text, backwards(one)) == rendered(text, json.loads(json.dumps(one)))


def all_of(renderer: Renderer, given_values: Any) -> Any:
    """Everything that rendering gives, or everything that is wrong."""
    try:
        found = renderer.render(given_values)
    except RenderFailed as failed:
        return [str(problem) for problem in failed.problems]
    return [(each.whole, dict(each.fields)) for each in found.resources], found.health


def with_text(text: str) -> list[dict[str, Any]]:
    """Resources that have a text in one place or another."""
    return [
        {"kind": "file", "fields": {"path": "/x", "template": "t", "owner": "{{ host.name }}"}},
        {"kind": "file", "fields": {"path": "/{{ host.name }}", "content": text}, "when": "a or not a"},
        {"kind": "command", "fields": {"argv": ["x"], "env": {"A": text, "B": [text, "{{ b.c }}", "{{ host.name }}"]}}},
        {"kind": "line", "fields": {"path": "/y", "line": text + "{{ item }}"}, "forEach": "[p, a, host.name]"},
        {"kind": "file", "fields": {"path": "/z", "content": "{{ facts.os }} {{ host.name }}" + text}},
    ]


@settings(max_examples=60)
@given(
    pieces, st.lists(values, min_size=1, max_size=3), st.lists(st.sampled_from(["web-1", "web-2", "%s"]), min_size=6)
)
def test_hosts_that_share_renderings_get_what_each_would_get_alone(text: str, several: Any, names: list[str]) -> None:
    for resource in with_text(text + "{{ host.name }}{{ vars.v }}"):
        content = {"app": "webapp", "resources": [resource], "templates": {"t": text + "{{ host.name }}"}}
        bundle = Bundle.of({**content, "health": [{"http": {"url": "http://{{ host.name }}/{{ a }}"}}]})
        shared = Renderer(bundle)
        for each, name in zip([*several, *several], names, strict=False):
            own = {**each, "host": {"name": name, "labels": {}}, "facts": None}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sight, "may_be_blank", lambda _: False)
                alone = all_of(Renderer(bundle), own)
            assert all_of(shared, own) == alone


@few
@given(pieces, values, values)
def test_a_value_that_is_not_read_changes_nothing(text: str, one: Any, other: Any) -> None:
    reads = reads_of(text)
    mixed = json.loads(json.dumps(other))
    for path in reads:
        put(mixed, one, path)

    assert rendered(text, mixed) == rendered(text, one) == rendered(text, pick(one, reads))


def put(target: Any, source: Any, path: tuple[str, ...]) -> None:
    """Make what stands at a path in one value stand there in another, also where it is nothing."""
    *parents, last = path
    for key in parents:
        if not isinstance(source, dict) or key not in source:
            if isinstance(target, dict):
                target.pop(key, None)
            return
        above, target, source = target, target.get(key), source[key]
        if source == SECRET or not isinstance(source, dict):
            above[key] = source
            return
        if not isinstance(target, dict):
            target = above[key] = {}
    if last in source:
        target[last] = source[last]
    else:
        target.pop(last, None)


@few
@given(pieces, values)
def test_what_is_known_without_a_secret_does_not_depend_on_it_but_for_carrying_it(text: str, one: Any) -> None:
    opaque = rendered(text, one)
    assume(opaque is not None)
    assert opaque is not None
    first, second = (rendered(text, one, {"a/b": clear}) for clear in ("Zq0", "Wx93"))
    for clear in (first, second):
        if clear is None:
            continue
        assert (clear.id, clear.fingerprint) == (opaque.id, opaque.fingerprint)
        if not opaque.secrets:
            assert clear.fields == opaque.fields
        if not opaque.unknown and clear is first:
            assert clear.secrets == opaque.secrets


@few
@given(pieces, values)
def test_a_clear_text_stands_only_in_fields_that_name_the_secret(text: str, one: Any) -> None:
    clear = rendered(text, one, {"a/b": "Zq0"})
    if clear is not None and "Zq0" in json.dumps(clear.fields):
        assert clear.secrets == ("a/b",)
        assert "Zq0" not in repr(clear) + clear.fingerprint


WORDS = st.sampled_from(
    "{{ }} {% %} {# #} if else endif for in endfor set macro endmacro block endblock include extends import a b"  # noqa: SIM905
    " | . , ( ) [ ] + * ** ~ == 'x' 1 0.5 upper default attr __class__ loop self range(3) - %} -%} {%- \n".split(" ")
)


@settings(max_examples=50)
@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_text_is_rendered_or_told_to_be_wrong(text: str) -> None:
    wrong = check_template("t", text)
    result = rendered(text, {"config": {"a": "x", "b": [1]}})

    assert not (wrong and result)
