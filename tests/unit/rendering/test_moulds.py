"""One rendering for all hosts that differ only in what is printed: each gets what it would get alone."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.desired import Bundle
from reconciler.rendering import RenderedResource, Renderer, RenderFailed, environment, sight
from reconciler.rendering.blanks import joined
from reconciler.rendering.limits import MAX_TEXT

PRINTED = (
    "on {{ host.name }}",
    "{{ host.name ~ ':' ~ port }} 100%",
    "{% set x = host.name %}{{ x }}",
    "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(host.name) }}{{ m(role) }}",
    "{% if port > 1 %}{{ host.name }}{% endif %}",
    "{% for n in [1, 2] %}{{ host.name }}-{{ n }}{% endfor %}",
    "{% set x %}a {{ host.name }}{% endset %}{{ x }}",
    "{{ host.name }}{{ host.name is defined }}",
    "{{ host.name }}",
)
LOOKED_AT = (
    "{{ [host.name] | to_nice_yaml }}",
    "{{ {'k': host.name} | to_json }}",
    "{{ host.name | upper }}{{ role }}",
    "{{ host.name | default('x') }}",
    "{{ host.name is string }} {{ host.name is match('a') }}",
    "{{ 'a' is match(pattern=host.name) }}",
    "{{ 'yes' if host.name == 'a' else 'no' }}",
    "{{ 'yes' if host.name else 'no' }}",
    "{{ {'a': 1}[host.name] | default(2) }}",
    "{{ 'a' in host.name }}",
    "{{ host.name[:1] }}{{ host.name.upper() }}",
    "{{ host.name + 'x' }} {{ '%s' % host.name }} {{ '{}'.format(host.name) }}",
    "{{ host.name * 2 }}",
    "{{ [host.name, 'b'] | join(',') }}",
    "{% for letter in host.name %}{{ letter }}{% endfor %}",
    "{% filter upper %}{{ host.name }}{% endfilter %}",
    "{% set n = namespace(x=host.name) %}{{ n.x }}",
    "{{ host }}",
    "{{ password }} {{ host.name }}",
    "\ufdd00\ufdd0 {{ host.name }}",
)


def rendered(renderer: Renderer, name: str, **config: Any) -> RenderedResource:
    declared = {"port": 80, "role": "db", "password": {"secret": "s"}, **config}
    return renderer.render({"config": declared, "host": {"name": name}}).resources[0]


def one_file(text: str, **fields: Any) -> Bundle:
    resource = {"kind": "file", "fields": {"path": "/x", "template": "t", **fields}}
    return Bundle.of({"app": "web", "resources": [resource], "templates": {"t": text}})


def alone(bundle: Bundle, name: str, **config: Any) -> RenderedResource:
    """Rendered for one host, with nothing left blank."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sight, "may_be_blank", lambda _: False)
        return rendered(Renderer(bundle), name, **config)


@pytest.mark.parametrize("text", PRINTED + LOOKED_AT)
def test_each_host_gets_what_it_would_get_alone(text: str) -> None:
    bundle = one_file(text)
    shared = Renderer(bundle)
    for name in ("a", "b", 'q"\\%s', "two\nlines", "", "x" * 300):
        for port in (1, 80):
            found, wanted = rendered(shared, name, port=port), alone(bundle, name, port=port)
            assert (dict(found.fields), found) == (dict(wanted.fields), wanted)


def runs(text: str) -> int:
    """How many renderings are remembered after three hosts, whose names differ, were rendered."""
    memory: dict[Any, Any] = {}
    renderer = Renderer(one_file(text), memory)
    for name in ("a", "b", "c"):
        rendered(renderer, name)
    return sum(1 for key in memory if isinstance(key, tuple) and key[1])


@pytest.mark.parametrize("text", PRINTED)
def test_what_is_only_printed_is_rendered_once_for_all_hosts(text: str) -> None:
    assert runs(text) == 1


@pytest.mark.parametrize("text", LOOKED_AT[:-2])
def test_what_is_looked_at_is_rendered_for_each_of_its_values(text: str) -> None:
    assert runs(text) == 3


def test_a_value_that_is_only_printed_under_a_condition_is_learnt_to_be_looked_at_under_another() -> None:
    bundle = one_file("{% if port > 1 %}{{ host.name }}{% else %}{{ host.name | upper }}{% endif %}")
    shared = Renderer(bundle)
    texts = [rendered(shared, name, port=port).fields["content"] for port in (80, 1, 80) for name in "ab"]
    assert texts == ["a", "b", "A", "B", "a", "b"]


def test_a_path_and_other_fields_may_hold_what_hosts_print() -> None:
    bundle = one_file("x", path="/srv/{{ host.name }}/x", owner="{{ host.name }}", group="{{ role }}")
    shared = Renderer(bundle)
    assert [rendered(shared, name).id for name in "ab"] == ["file:/srv/a/x", "file:/srv/b/x"]
    assert [rendered(shared, name) for name in "ab"] == [alone(bundle, name) for name in "ab"]


@pytest.mark.parametrize(("text", "runs"), [("{{ host.name }}", 1), ("{{ host.name | upper }}", 2)])
def test_several_files_of_a_template_share_its_renderings(
    text: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [{"kind": "file", "fields": {"path": f"/{number}", "template": "t"}} for number in range(5)]
    renderer = Renderer(Bundle.of({"app": "web", "resources": files, "templates": {"t": text}}))
    made: list[str] = []
    render = environment.Sandbox.render

    def counted(sandbox: environment.Sandbox, template: Any, *given: Any) -> Any:
        made.append(template.name)
        return render(sandbox, template, *given)

    monkeypatch.setattr(environment.Sandbox, "render", counted)

    resources = renderer.render({"host": {"name": "a"}}).resources

    assert {resource.fields["content"] for resource in resources} == {"a" if runs == 1 else "A"}
    assert len(made) == runs


@pytest.mark.parametrize("text", ["{{ m.host }}", "{{ m.host | upper }}", "{{ m.deep.er }}", "{{ m.deep.er | upper }}"])
def test_a_map_with_a_secret_among_others_is_read_whole_and_stays_as_it_is(text: str) -> None:
    shared = Renderer(one_file(text))
    for word in ("a", "b", "a"):
        given = {"secret": "s", "host": word, "deep": {"er": word}}
        assert rendered(shared, "web-1", m=given) == alone(one_file(text), "web-1", m=given)
        assert given == {"secret": "s", "host": word, "deep": {"er": word}}


def test_a_reference_is_not_taken_for_a_map_that_holds_the_same_word() -> None:
    shared = Renderer(one_file("{{ m.secret }}"))
    for given in ({"secret": "s"}, {"secret": "s", "host": "h"}, {"secret": "s"}):
        assert rendered(shared, "web-1", m=given) == alone(one_file("{{ m.secret }}"), "web-1", m=given)


def test_a_long_text_with_blanks_is_paid_for_each_time_that_it_stands_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def measured(parts: list[Any]) -> Any:
        made.append(sum(len(getattr(part, "marked", part)) for part in parts))
        return joined(parts)

    monkeypatch.setattr(environment, "joined", measured)
    text = "{% set x %}{{ 'a' * 1000000 }}{{ host.name }}{% endset %}{% for n in range(4000) %}{{ x }}{% endfor %}"
    with pytest.raises(RenderFailed, match="more work than a template may"):
        rendered(Renderer(one_file(text)), "a")
    assert made
    assert max(made) <= MAX_TEXT
