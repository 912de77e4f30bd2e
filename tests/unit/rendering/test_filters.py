"""Filters and tests as templates of Ansible use them."""

from __future__ import annotations

from typing import Any

import pytest

from .apps import problem, shown


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{'b': [1, true, none], 'a': 'x'} | to_json", '{"b": [1, true, null], "a": "x"}'),
        ("{'b': 1, 'a': 2} | to_nice_json", '{\n    "a": 2,\n    "b": 1\n}'),
        ("'{\"a\": [1]}' | from_json", "{'a': [1]}"),
        ("'a: [1, yes]\nb: x\n' | from_yaml", "{'a': [1, 'yes'], 'b': 'x'}"),
        ("'Yes' | bool", "True"),
        ("'off' | bool", "False"),
        ("'a-b-c' | regex_replace('-(.)', '+\\\\1')", "a+b+c"),
        ("'port 80' | regex_search('\\\\d+')", "80"),
        ("'port 80' | regex_search('(\\\\w+) (\\\\d+)', '\\\\2', '\\\\1')", "['80', 'port']"),
        ("'none' | regex_search('x')", "None"),
        ("'a1b22' | regex_findall('\\\\d+')", "['1', '22']"),
        ("'a.b' | regex_escape", "a\\.b"),
        ("'x' is match('X', ignorecase=true)", "True"),
        ("'abc' is search('b')", "True"),
        ("'1.10' is version('1.9', '>')", "True"),
        ("[1, 2] is superset([1])", "True"),
        ("'a\nb' | comment", "#\n# a\n# b\n#"),
        ("'a' | comment('cblock')", "/*\n *\n * a\n *\n */"),
        ("true | ternary('a', 'b')", "a"),
        ("'x' | mandatory", "x"),
        ("{'a': {'b': 1, 'c': 1}} | combine({'a': {'b': 2}}, recursive=true)", "{'a': {'b': 2, 'c': 1}}"),
        ("{'a': 1} | combine({'a': 2})", "{'a': 2}"),
        ("'äb' | b64encode | b64decode", "äb"),
        ("'a' | hash", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("'a' | hash('md5')", "0cc175b9c0f1b6a831c399e269772661"),
        ('"it\'s" | quote', "'it'\"'\"'s'"),
        ("'/a/b.c' | basename ~ ('/a/b.c' | dirname)", "b.c/a"),
        ("{'a': 1} | dict2items", "[{'key': 'a', 'value': 1}]"),
        ("[{'key': 'a', 'value': 1}] | items2dict", "{'a': 1}"),
        ("[1, [2, [3]]] | flatten", "[1, 2, 3]"),
        ("[1, [2, [3]]] | flatten(levels=1)", "[1, 2, [3]]"),
        ("[2, 1, 2, true] | unique", "[2, 1, True]"),
        ("[1, 2] | union([2, 3])", "[1, 2, 3]"),
        ("[1, 2] | intersect([2, 3])", "[2]"),
        ("[1, 2] | difference([2, 3])", "[1]"),
        ("[1, 2] | symmetric_difference([2, 3])", "[1, 3]"),
        ("['a', 'b'] | zip([1, 2])", "[['a', 1], ['b', 2]]"),
        ("[[1], [2]] | sum(start=[])", "[1, 2]"),
        ("['a', 'b'] | map('upper') | join('-')", "A-B"),
        ("['a1', 'b'] | select('match', 'a') | list", "['a1']"),
        ("[{'n': 1}, {'n': 2}] | map(attribute='n')", "[1, 2]"),
        ("'<a>' | escape", "&lt;a&gt;"),
        ("'%s-%03d' | format('a', 7)", "a-007"),
        ("'{}-{:>3}'.format('a', 7)", "a-  7"),
        ("[3, 1] | sort", "[1, 3]"),
    ],
)
def test_a_filter_gives(expression: str, expected: str) -> None:
    assert shown("{{ " + expression + " }}") == expected


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": {"c": None}},
        {"a": [1, {"b": 2, "c": [3, []]}, {}, [[1], 2]]},
        [
            "1",
            "yes",
            "null",
            "a: b",
            "",
            "1.0",
            "~",
            "0x1",
            "- a",
            "#",
            "a #b",
            "é",
            "a\nb",
            " x ",
            "'",
            '"',
            "\t",
            "1_0",
        ],
        {"1": 1.5, "true": -0.0, "a b": 1e300, "": True},
        [],
        "text",
    ],
)
@pytest.mark.parametrize("name", ["to_yaml", "to_nice_yaml"])
def test_yaml_that_is_written_is_read_as_the_same_value(value: Any, name: str) -> None:
    assert shown("{{ (v | " + name + " | from_yaml) == v }}", v=value) == "True"


def test_yaml_for_people_is_sorted_and_indented() -> None:
    value = {"b": "yes", "a": {"d": None, "c": [1, {"x": "y z"}]}}

    assert shown("{{ v | to_nice_yaml }}", v=value) == "a:\n    c:\n    - 1\n    - x: y z\n    d: null\nb: 'yes'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ [1] | b64encode }}", "it takes text, not a list"),
        ("{{ gone | mandatory('give me gone') }}", "give me gone"),
        ("{{ 'a' | hash('md6') }}", 'there is no hash "md6"'),
        ("{{ 'a' | regex_replace('(', '') }}", "cannot read the regular expression '('"),
        ("{{ 'a' | comment('basic') }}", 'comment has no style "basic"'),
        ("{{ '{' | from_json }}", "Expecting property name"),
    ],
)
def test_a_filter_that_cannot_work_says_why(text: str, message: str) -> None:
    found = problem(text)

    assert message in found.message
    assert found.place.line == 1


@pytest.mark.parametrize("name", ["random", "lookup", "pprint"])
def test_what_depends_on_chance_or_files_does_not_exist(name: str) -> None:
    assert problem("{{ [1] | " + name + " }}").message.startswith(f'there is no filter "{name}"')
