"""Secrets while rendering: named, carried on, never looked at without their values."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.rendering import Renderer, RenderFailed

from .apps import MARKER, SECRET, bundle, config, file, shown, template

CLEAR = {"webapp/mysql_pass": "hunter2"}
REASON = "depends on the value of secret webapp/mysql_pass"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("p", MARKER),
        ("'a' ~ p ~ 'b'", f"a{MARKER}b"),
        ("'a' + p", f"a{MARKER}"),
        ("p | quote", f"'{MARKER}'"),
        ("p | b64encode", MARKER),
        ("p | upper", MARKER),
        ("p.strip()", MARKER),
        ("p.replace('a', 'b')", MARKER),
        ("{'x': p} | to_json", f'{{"x": "{MARKER}"}}'),
        ("{'x': p} | to_nice_yaml", f"x: {MARKER}\n"),
        ("[p, 'x'] | join(',')", f"{MARKER},x"),
        ("','.join([p, 'x'])", f"{MARKER},x"),
        ("'%s:%s' | format('u', p)", f"u:{MARKER}"),
        ("'%s' % p", MARKER),
        ("'u:{}'.format(p)", f"u:{MARKER}"),
        ("'a=X' | replace('X', p)", MARKER),
        ("'abc'.replace(p, '')", MARKER),
        ("'{:.1}'.format(p)", MARKER),
        ("'{!r:.3}'.format(p)", MARKER),
        ("'{:.3}'.format([p])", MARKER),
        ("'%.1s' % p", MARKER),
        ("'%(a).1s' % {'a': p}", MARKER),
        ("'%.1s' | format(p)", MARKER),
        ("p | default('x')", MARKER),
        ("('a\\n' ~ p) | indent(2)", f"a\n  {MARKER}"),
        ("[p] | first", MARKER),
        ("[p]", f"[{MARKER}]"),
        ("p is defined", "True"),
        ("p is string", "True"),
        ("[p, 'b'] | length", "2"),
    ],
)
def test_what_only_carries_a_secret_on_shows_its_name(expression: str, expected: str) -> None:
    found = template("{{ " + expression + " }}", p=SECRET)

    assert (found.fields["content"], found.unknown) == (expected, "")
    assert found.secrets == (("webapp/mysql_pass",) if MARKER in expected else ())


@pytest.mark.parametrize(
    "text",
    [
        "{% if p %}a{% endif %}",
        "{{ p == 'a' }}",
        "{{ 'a' in p }}",
        "{{ p in ['a'] }}",
        "{{ p in 'abc' }}",
        "{{ p not in 'abc' }}",
        "{{ p is in 'abc' }}",
        "{{ 'abc' is contains(p) }}",
        "{{ p | length }}",
        "{{ p[0] }}",
        "{{ p[1:] }}",
        "{% for c in p %}{{ c }}{% endfor %}",
        "{{ p | hash('sha256') }}",
        "{{ p | int }}",
        "{{ p * 2 }}",
        "{{ p.startswith('a') }}",
        "{{ p is match('a') }}",
        "{{ p | default('x', true) }}",
        "{{ [p, p] | unique }}",
        "{{ ['b', p] | sort }}",
        "{{ ('x' ~ p) | length }}",
        "{% set t %}x{{ p }}{% endset %}{{ t | length }}",
        "{% macro m() %}x{{ p }}{% endmacro %}{{ m() == 'x' }}",
        "{{ p | ternary(1, 2) }}",
        "{{ [p] | wordcount }}",
        "{{ {'a': p} | truncate(9) }}",
        "{{ {p: 1} }}",
        "{% filter upper | length %}{{ p }}{% endfilter %}",
    ],
)
def test_what_looks_at_a_secret_is_unknown_without_its_value(text: str) -> None:
    found = template(text, p=SECRET)

    assert found.unknown == REASON
    assert found.secrets == ("webapp/mysql_pass",)


def test_text_around_a_secret_stays_a_secret_through_macros_and_blocks() -> None:
    text = "{% macro m() %}[{{ p }}]{% endmacro %}{% set s %}{{ m() }}!{% endset %}{{ s }}"

    assert shown(text, p=SECRET) == f"[{MARKER}]!"


def test_with_its_value_the_fields_hold_it_and_the_fingerprint_stays() -> None:
    text = "pass={{ p }}\nhash={{ '%s' % p | b64encode }}\n"
    opaque, clear = template(text, p=SECRET), template(text, p=SECRET, secrets=CLEAR)

    assert clear.fields["content"] == "pass=hunter2\nhash=aHVudGVyMg==\n"
    assert (clear.fingerprint, clear.id, clear.secrets) == (opaque.fingerprint, opaque.id, opaque.secrets)


def test_with_its_value_what_looks_at_it_is_known_and_keeps_the_fingerprint_of_the_unknown() -> None:
    text = "{{ p | hash }}{% if p == 'hunter2' %} yes{% endif %}"
    opaque, clear = template(text, p=SECRET), template(text, p=SECRET, secrets=CLEAR)

    assert clear.fields["content"] == "f3bbbd66a63d4bf1747940578ec3d0103530e21d yes"
    assert (clear.unknown, clear.fingerprint, clear.secrets) == ("", opaque.fingerprint, opaque.secrets)


@pytest.mark.parametrize("field", ["when", "forEach"])
def test_a_decision_over_a_secret_is_taken_with_its_value(field: str) -> None:
    decide = {"when": "p == 'hunter2'", "forEach": "p | map('upper') | list"}[field]
    renderer = Renderer(bundle({**file("/a", content="{{ host.name }}"), field: decide}))

    assert renderer.render(config(p=SECRET)).resources[0].unknown == REASON
    if field == "when":
        assert renderer.render(config(p=SECRET), CLEAR).resources[0].unknown == ""
        assert renderer.render(config(p=SECRET), {"webapp/mysql_pass": "other"}).resources == ()


def test_a_secret_in_a_field_itself_is_filled_in() -> None:
    renderer = Renderer(bundle({"kind": "command", "fields": {"argv": ["x"], "env": {"PW": SECRET}}}))

    assert renderer.render(config()).resources[0].fields["env"] == {"PW": MARKER}
    assert renderer.render(config(), CLEAR).resources[0].fields["env"] == {"PW": "hunter2"}


def test_an_id_never_holds_a_secret() -> None:
    renderer = Renderer(bundle(file("/etc/{{ p }}", content="")))

    assert renderer.render(config(p=SECRET), CLEAR).resources[0].id == f"file:/etc/{MARKER}"


def test_a_secret_without_a_value_is_never_written_as_its_name() -> None:
    with pytest.raises(RenderFailed, match="no value was given for secret webapp/mysql_pass"):
        template("{{ p }}", p=SECRET, secrets={"other": "x"})


def test_clear_text_does_not_show_in_a_repr() -> None:
    rendered: Any = Renderer(bundle(file(content="{{ p }}"))).render(config(p=SECRET), CLEAR)

    assert "hunter2" not in repr(rendered) + str(rendered) + f"{rendered.resources[0]}"


@pytest.mark.parametrize(
    "text", ["{{ p | int + p }}", "{{ p | from_json }}", "{{ {'x': 1}[p] }}", "{{ p | b64decode }}"]
)
def test_a_failure_over_a_value_does_not_tell_the_value(text: str) -> None:
    with pytest.raises(RenderFailed) as failed:
        template(text, p=SECRET, secrets={"webapp/mysql_pass": "hunter-!2"})

    assert "hunter" not in str(failed.value)
    assert "it fails with the values that its secrets have" in str(failed.value)


def test_clear_text_is_not_remembered() -> None:
    renderer = Renderer(bundle(file(content="{{ p }}")))
    texts = [
        renderer.render(config(p=SECRET), {"webapp/mysql_pass": value}).resources[0].fields["content"] for value in "ab"
    ]

    assert texts == ["a", "b"]
    assert renderer.render(config(p=SECRET)).resources[0].fields["content"] == MARKER


def command(**fields: Any) -> dict[str, Any]:
    return {"kind": "command", "fields": {"argv": ["/bin/true"], **fields}}


SEEN: dict[str, dict[str, Any]] = {
    "argv": command(argv=["/bin/echo", "{{ p }}"]),
    "argv within text": command(argv=["/bin/echo", "--password={{ p }}"]),
    "argv after an encoding": command(argv=["/bin/echo", "{{ p | b64encode }}"]),
    "argv as a whole": command(argv="{{ ['/bin/echo', p] }}"),
    "argv of an item": {**command(argv=["/bin/echo", "{{ item }}"]), "forEach": "[p]"},
    "argv of an item of a map": {**command(argv=["/bin/echo", "{{ item.a }}"]), "forEach": [{"a": SECRET}]},
    "argv after a look": command(argv=["/bin/echo", "{{ p if p == 'hunter2' else 'x' }}"]),
    "unless": command(unless=["/bin/test", "{{ p }}"]),
    "onlyIf": command(onlyIf=["/bin/test", "{{ p }}"]),
    "cwd": command(cwd="/srv/{{ p }}"),
    "check": {"kind": "service", "fields": {"name": "x", "check": ["x", "{{ p }}"]}},
    "validate": file(content="x", validate=["x", "{{ p }}"]),
}


@pytest.mark.parametrize("resource", SEEN.values(), ids=SEEN)
def test_a_secret_in_a_command_line_is_refused(resource: dict[str, Any]) -> None:
    with pytest.raises(RenderFailed) as failed:
        Renderer(bundle(resource)).render(config(p=SECRET), CLEAR)

    (found,) = failed.value.problems
    assert found.code == "secret-in-argv"
    assert "secret webapp/mysql_pass" in found.message
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("name", sorted(SEEN.keys() - {"argv after a look"}))
def test_a_plan_refuses_it_without_the_secrets(name: str) -> None:
    with pytest.raises(RenderFailed, match="command line"):
        Renderer(bundle(SEEN[name])).render(config(p=SECRET))


def test_a_secret_in_the_command_of_a_health_check_is_refused() -> None:
    health = [{"command": {"argv": ["/bin/check", "{{ p }}"]}}]

    with pytest.raises(RenderFailed, match="command line"):
        Renderer(bundle(health=health)).render(config(p=SECRET), CLEAR)


def test_a_secret_in_the_command_of_a_metric_is_refused() -> None:
    metrics = [{"name": "queue", "interval": 30.0, "command": ["/bin/count", "{{ p }}"]}]

    with pytest.raises(RenderFailed, match="command line"):
        Renderer(bundle(metrics=metrics)).render(config(p=SECRET), CLEAR)


def test_env_and_stdin_may_be_secrets() -> None:
    given = command(argv=["/bin/echo", "{{ q }}"], env={"P": "{{ p }}"}, stdin="{{ p }}")
    (found,) = Renderer(bundle(given)).render(config(p=SECRET, q="hunter2"), CLEAR).resources

    assert found.fields["env"] == {"P": "hunter2"}


@pytest.mark.parametrize("clear", [CLEAR, None])
def test_a_fact_that_looks_like_a_reference_is_none(clear: dict[str, str] | None) -> None:
    values = {"config": {}, "facts": {"os": SECRET, "disks": [{"id": SECRET}]}}
    found = template("{{ facts.os }} {{ facts.disks[0].id.secret }}", values=values, secrets=clear)
    assert found.fields["content"] == "{'secret': 'webapp/mysql_pass'} webapp/mysql_pass"
    assert found.secrets == ()
