"""A template without quotes is blamed where it stands, however far below YAML stumbles over it."""

from __future__ import annotations

import pytest

from reconciler.manifests.reading import UnreadableError, read

MAP = "a value that begins with {{ is a map in YAML"


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a: {{ x }}/y # why\nb: 1\n", (1, 4), 'Quote it: "{{ x }}/y"'),
        ("a: 1\nb: {{ x['y'] }}\n", (2, 4), "Quote it: \"{{ x['y'] }}\""),
        ('a: {{ hosts("r=w") | join(",") }}\nb: 1\nc: 2\n', (1, 4), 'Quote it: \'{{ hosts("r=w") | join(",") }}\''),
        ("a: {{ x }}\nb: {{ y }}-{{ z }}\n", (2, 4), 'Quote it: "{{ y }}-{{ z }}"'),
        ("- {{ x }}.conf\n- b\n", (1, 3), 'Quote it: "{{ x }}.conf"'),
        ("a: [{{ x }}.conf, b]\n", (1, 5), 'Quote it: "{{ x }}.conf"'),
        ("a: {b: {{ x }}.conf, c: 1}\n", (1, 8), 'Quote it: "{{ x }}.conf"'),
    ],
)
def test_the_template_is_told_with_what_to_write(text: str, place: tuple[int, int], hint: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read(text.encode())
    found = error.value
    assert ((found.line, found.column), found.message, found.hint) == (place, MAP, hint)


def test_a_tag_of_jinja_is_told_as_well() -> None:
    with pytest.raises(UnreadableError, match=r"begins with \{% is a map") as error:
        read(b"a: {% if x %}y{% endif %}\n")
    assert error.value.hint == 'Quote it: "{% if x %}y{% endif %}"'


@pytest.mark.parametrize("text", ["a: |\n  b: {{ x }}/y\nc: d: e\n", "a: {{ x }}\nb: [1\n"])
def test_a_template_that_is_not_to_blame_is_left_alone(text: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read(text.encode())
    assert "not valid YAML" in error.value.message
