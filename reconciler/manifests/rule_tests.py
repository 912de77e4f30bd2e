"""The file of `alerts test`: YAML text -> tests of rules, or everything that is wrong with it.

It stands beside the manifests, not among them: it is no part of what the fleet should be.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainValidator, ValidationError

from reconciler.alerting.evaluation import Subject
from reconciler.alerting.rule_tests import Expectation, RuleTest
from reconciler.errors import InvalidInput, Place, Problem
from reconciler.manifests.door import Door, failure, findings, shown
from reconciler.manifests.fields import Duration, Filled, Labels, Values
from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.places import problem
from reconciler.manifests.reading import UnreadableError, read
from reconciler.model.metadata import Origin
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Series

MOST_VALUES = 100_000

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RUN = re.compile(
    rf"(?:(?P<gap>_)|(?P<first>{_NUMBER})(?:(?P<sign>[+-])(?P<step>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?)(?:x(?P<times>\d+))?\Z"
)
_HINT = "Write it like 50x10 95x20 _x5 100-2x30"


def _written(value: Any) -> Sequence[float]:
    """The values of `50x3 95 _x2 100-10x5`: three times 50, once 95, two gaps, and five from 100 down by 10."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.split():
        raise failure("{field} is no series", _HINT)
    found: list[float] = []
    for word in text.split():
        run = _RUN.match(word)
        if run is None or int(run["times"] or 1) + len(found) > MOST_VALUES:
            raise failure(f'"{shown(word)}" is no part of a series', _HINT)
        first = math.nan if run["gap"] else float(run["first"])
        step = float(f"{run['sign']}{run['step']}") if run["step"] else 0.0
        found += [first + number * step for number in range(int(run["times"] or 1))]
    return found


_Series: TypeAlias = Annotated[list[float], PlainValidator(_written)]


class HostSpec(Door):
    """The host of a test."""

    name: Filled = "host"
    labels: Labels = Field({})
    apps: list[Filled] = Field([])


class ExpectSpec(Door):
    """What is to be so at some time."""

    at: Duration
    firing: list[Filled]
    pending: list[Filled] | None = None
    summaries: dict[str, Filled] = Field({})


class TestSpec(Door):
    """One test."""

    name: Filled
    host: HostSpec | None = None
    facts: Values = Field({})
    series: dict[str, _Series]
    expect: list[ExpectSpec] = Field(min_length=1)


class FileSpec(Door):
    """The whole file."""

    interval: Duration = Field(60.0, gt=0)
    tests: list[TestSpec] = Field(min_length=1)


def read_rule_tests(file: str, raw: bytes, rules: Sequence[Alert]) -> Sequence[RuleTest]:
    """The tests of a file.

    Args:
        file: its name, for places.
        raw: its content.
        rules: those that it may name.

    Raises:
        InvalidInput: everything that is wrong with it.
    """
    try:
        plains = read(raw)
    except UnreadableError as error:
        raise InvalidInput(
            Problem(Place(file, error.line, error.column), error.message, error.hint, "invalid-yaml")
        ) from None
    value = plains[0].value if len(plains) == 1 else None
    if not isinstance(value, dict):
        raise InvalidInput.of("empty-file", "holds no tests", place=Place(file), hint="It begins with tests:")
    try:
        spec = FileSpec.model_validate(value)
        found = [*plains[0].findings, *_unknown(spec, {rule.name for rule in rules})]
    except ValidationError as error:
        found = [*plains[0].findings, *findings(error, FileSpec)]
    if found:
        raise InvalidInput(problem(raw, Origin(file, 0), finding) for finding in found)
    return [_test(test, spec.interval) for test in spec.tests]


def _unknown(spec: FileSpec, rules: set[str]) -> Iterator[Finding]:
    """Rules that are expected and do not exist, which could never fire."""
    for number, test in enumerate(spec.tests):
        for place, expect in enumerate(test.expect):
            for field in ("firing", "pending"):
                for position, name in enumerate(getattr(expect, field) or ()):
                    rule = name.partition(":")[0]
                    if rule not in rules:
                        path = ("tests", number, "expect", place, field, position)
                        yield Finding(path, f'there is no alert "{rule}"', did_you_mean(rule, rules), "unknown-alert")


def _test(spec: TestSpec, interval: float) -> RuleTest:
    told = spec.host or HostSpec.model_validate({})
    host = Subject(told.name, told.labels, {app: {} for app in told.apps})
    expected = [
        Expectation(it.at, frozenset(it.firing), None if it.pending is None else frozenset(it.pending), it.summaries)
        for it in spec.expect
    ]
    series = {Series.parse(name): values for name, values in spec.series.items()}
    return RuleTest(spec.name, host, interval, series, expected, spec.facts)
