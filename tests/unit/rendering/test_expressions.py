"""The grammar of expressions, and config values that hold some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reconciler.errors import InvalidInput, Problem
from reconciler.rendering import ConfigRenderer, Expression

HOST = {"name": "web-1", "labels": {"env": "prod"}}


def test_an_expression_has_a_value_and_tells_what_it_reads() -> None:
    parsed = Expression.parse("cpu.percent > 90 and disks['/'].free < limit")

    assert parsed.names == {"cpu", "disks", "limit"}
    assert parsed.reads == {("cpu", "percent"), ("disks", "/", "free"), ("limit",)}
    assert parsed.evaluate({"cpu": {"percent": 95}, "disks": {"/": {"free": 1}}, "limit": 2}) is True


def test_an_expression_calls_the_functions_that_it_is_given() -> None:
    parsed = Expression.parse("predict(fs.free, window=6h, ahead=1h30m) <= 0", functions=["predict", "avg"])
    seen: dict[str, float] = {}

    def predict(value: float, **given: float) -> float:
        seen.update(given)
        return -value

    assert parsed.functions == {"predict"}
    assert parsed.names == {"fs"}
    assert parsed.evaluate({"predict": predict, "fs": {"free": 3}}) is True
    assert seen == {"window": 21_600, "ahead": 5_400}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("1.5h", 5400), ("2w", 1_209_600)]
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert Expression.parse(text).evaluate({}) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a ==", "(column 5)"),
        ("a b", 'unexpected "b" (column 3)'),
        ("{{ a }}", "written without braces"),
        ("avrg(a)", 'there is no function "avrg" Did you mean avg?'),
        ("a | nofilter", 'there is no filter "nofilter"'),
        ("a.__class__", "internal to Python"),
        ("", "column 1"),
    ],
)
def test_an_expression_that_cannot_be_read_is_a_problem(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as failed:
        Expression.parse(text, functions=["avg"])

    told = " ".join(
        part.rstrip(".") for part in (failed.value.problems[0].message, failed.value.problems[0].hint) if part
    )
    assert message in told


def test_a_name_that_is_not_there_is_a_problem_with_a_hint() -> None:
    with pytest.raises(InvalidInput, match=r'"cpuu" is undefined\. Did you mean cpu'):
        Expression.parse("cpuu > 1").evaluate({"cpu": 1})


class Lazy(Mapping[str, Any]):
    """A map whose values are worked out when they are asked for."""

    def __init__(self, **values: Any) -> None:
        self.values_ = values
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.asked.append(key)
        value = self.values_[key]
        if isinstance(value, Exception):
            raise value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def evaluate(text: str, **context: Any) -> Any:
    return ConfigRenderer().evaluate(text, {"host": HOST, "vars": {}, "hosts": lambda _: [], **context})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ vars.port }}", 80),
        ("p{{ vars.port }}", "p80"),
        ("{{ vars.all }}", {"a": [1, None]}),
        ("{{ host.name }}.{{ host.labels.env }}", "web-1.prod"),
        ("{{ vars.password }}", {"secret": "db/pw"}),
        ("{{ {'pw': vars.password} }}", {"pw": {"secret": "db/pw"}}),
    ],
)
def test_a_config_value_keeps_its_type(text: str, expected: Any) -> None:
    assert evaluate(text, vars={"port": 80, "all": {"a": [1, None]}, "password": {"secret": "db/pw"}}) == expected


def test_a_config_value_can_look_at_other_hosts() -> None:
    asked = []

    def hosts(selector: str) -> list[dict[str, Any]]:
        asked.append(selector)
        return [{"address": "10.0.0.1"}]

    assert evaluate("{{ (hosts('app=db,env=' ~ host.labels.env) | first).address }}", hosts=hosts) == "10.0.0.1"
    assert asked == ["app=db,env=prod"]


def test_only_what_a_value_asks_for_is_worked_out() -> None:
    lazy = Lazy(a=1, b=InvalidInput.of("cycle", "b depends on itself"))

    assert evaluate("{{ vars.a }}", vars=lazy) == 1
    assert lazy.asked == ["a"]
    with pytest.raises(InvalidInput, match="b depends on itself"):
        evaluate("{{ vars.b }}", vars=lazy)


@pytest.mark.parametrize(
    "text", ["x{{ vars.pw }}", "{{ vars.pw ~ 'x' }}", "{{ vars.pw | length }}", "{{ vars.pw | b64encode }}"]
)
def test_a_secret_passes_through_config_only_whole(text: str) -> None:
    with pytest.raises(InvalidInput, match="secret db/pw") as failed:
        evaluate(text, vars={"pw": {"secret": "db/pw"}})
    assert failed.value.problems[0].code == "secret-in-config"


def test_problems_of_a_config_value_are_all_told() -> None:
    with pytest.raises(InvalidInput) as failed:
        evaluate("{{ a }}{{ facts.os }}")

    assert [problem.message for problem in failed.value.problems] == ['"a" is undefined', '"facts" is undefined']
    assert isinstance(failed.value.problems[0], Problem)
