"""The file of `alerts test`: YAML text -> tests of rules, or everything that is wrong with it.

It stands beside the manifests, not among them: it is no part of what the fleet should be.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainValidator, ValidationError

from reconciler.alerting.evaluation import Subject
from reconciler.alerting.rule_tests import Expectation, RuleTest
from reconciler.alerting.written_hosts import HostStory
from reconciler.errors import InvalidInput, Place, Problem
from reconciler.manifests.door import Door, failure, findings, shown
from reconciler.manifests.fields import Duration, Filled, Labels, Values
from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.places import problem
from reconciler.manifests.reading import UnreadableError, read
from reconciler.model.alerts import AlertId
from reconciler.model.metadata import Origin, Path
from reconciler.model.metrics import METRICS
from reconciler.model.monitoring import BUILT_IN, HOST_STALE, Alert, AlertScope
from reconciler.model.samples import Series
from reconciler.resources.values import replace

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
    """The host of a test, where there is one."""

    name: Filled = "host"
    labels: Labels = Field({})
    apps: list[Filled] = Field([])


class OneOfSpec(HostSpec):
    """One of the hosts of a test, with what it measures."""

    name: Filled
    facts: Values = Field({})
    series: dict[str, _Series]


class ExpectSpec(Door):
    """What is to be so at some time."""

    at: Duration
    firing: list[Filled]
    pending: list[Filled] | None = None
    inhibited: list[Filled] | None = None
    summaries: dict[str, Filled] = Field({})


class TestSpec(Door):
    """One test: of one host, or of several."""

    name: Filled
    host: HostSpec | None = None
    facts: Values = Field({})
    series: dict[str, _Series] | None = None
    hosts: list[OneOfSpec] | None = Field(None, min_length=1)
    expect: list[ExpectSpec] = Field(min_length=1)

    @property
    def stories(self) -> Sequence[OneOfSpec]:
        """Its hosts."""
        if self.hosts is not None:
            return self.hosts
        host = self.host or HostSpec.model_validate({})
        return [
            OneOfSpec.model_construct(
                name=host.name, labels=host.labels, apps=host.apps, facts=self.facts, series=self.series or {}
            )
        ]


class FileSpec(Door):
    """The whole file."""

    interval: Duration = Field(60.0, gt=0)
    tests: list[TestSpec] = Field(min_length=1)


def read_rule_tests(file: str, raw: bytes, rules: Sequence[Alert], own: Collection[str] = ()) -> Sequence[RuleTest]:
    """The tests of a file.

    Args:
        file: its name, for places.
        raw: its content.
        rules: those that it may name.
        own: the metrics of apps.

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
        found = [*plains[0].findings, *_misfits(spec, {rule.name: rule for rule in rules}, own)]
    except ValidationError as error:
        found = [*plains[0].findings, *findings(error, FileSpec)]
    if found:
        raise InvalidInput(problem(raw, Origin(file, 0), finding) for finding in found)
    return [_test(test, spec.interval) for test in spec.tests]


def _misfits(spec: FileSpec, rules: Mapping[str, Alert], own: Collection[str]) -> Iterator[Finding]:
    """What could never be so: hosts said twice over, metrics and alerts that do not exist."""
    for number, test in enumerate(spec.tests):
        path: Path = ("tests", number)
        if (test.hosts is None) == (test.series is None):
            yield Finding(path, "a test has either series, of one host, or hosts, each with series of its own")
            continue
        if test.hosts is not None and (test.host or test.facts):
            yield Finding(path, "each of the hosts has its own name, labels and facts", "Move them below hosts")
        for place, story in enumerate(test.stories):
            below = (*path, "hosts", place) if test.hosts is not None else path
            for text in story.series:
                yield from _unknown_series(text, (*below, "series", text), own)
        names = [story.name for story in test.stories]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            yield Finding((*path, "hosts"), f"two of the hosts are called {twice}")
        yield from _unknown_alerts(test, path, rules)
        for place, expect in enumerate(test.expect):
            if expect.at / spec.interval > MOST_VALUES:
                message = f"it is more than {MOST_VALUES:,} intervals of {spec.interval:g} s away"
                yield Finding((*path, "expect", place, "at"), message, "Take a longer interval")


def _unknown_series(text: str, path: Path, own: Collection[str]) -> Iterator[Finding]:
    series = Series.parse(text)
    metric = METRICS.get(series.metric)
    if metric is None and series.metric not in own:
        hint = did_you_mean(series.metric, [*own, *METRICS])
        yield Finding(path, f'there is no metric "{series.metric}"', hint, "unknown-metric", key=True)
    elif metric is not None and bool(metric.each) != bool(series.instance):
        one = f'"{metric.name}[...]": the {metric.each} in brackets' if metric.each else metric.name
        yield Finding(path, f"there is no series {text}", f"Write {one}", "unknown-metric", key=True)


def _unknown_alerts(test: TestSpec, path: Path, rules: Mapping[str, Alert]) -> Iterator[Finding]:
    """Alerts that are expected and that could never fire."""
    for place, expect in enumerate(test.expect):
        below = (*path, "expect", place)
        lists = {"firing": expect.firing, "pending": expect.pending, "inhibited": expect.inhibited}
        for field, names in lists.items():
            for position, name in enumerate(names or ()):
                yield from _unknown_alert(name, (*below, field, position), test, rules)
        for name in expect.summaries:
            yield from _unknown_alert(name, (*below, "summaries", name), test, rules)


def _unknown_alert(name: str, path: Path, test: TestSpec, rules: Mapping[str, Alert]) -> Iterator[Finding]:
    alert, hosts = AlertId.parse(name), [story.name for story in test.stories]
    if alert.rule not in rules and alert.rule not in BUILT_IN:
        hint = did_you_mean(alert.rule, [*rules, *BUILT_IN])
        yield Finding(path, f'there is no alert "{alert.rule}"', hint, "unknown-alert")
    elif alert.host and alert.host not in hosts:
        yield Finding(path, f'the test has no host "{alert.host}"', did_you_mean(alert.host, hosts), "unknown-host")
    elif len(hosts) > 1 and not alert.host and _of_hosts(alert.rule, rules):
        wanted = AlertId(alert.rule, hosts[0], alert.instance)
        yield Finding(path, f"{name} is about one of several hosts", f"Write it like {wanted}", "unknown-alert")


def _of_hosts(name: str, rules: Mapping[str, Alert]) -> bool:
    return name == HOST_STALE or (name in rules and rules[name].scope is AlertScope.HOST)


def _test(spec: TestSpec, interval: float) -> RuleTest:
    stories = [
        HostStory(
            Subject(it.name, it.labels, {app: {} for app in it.apps}),
            {Series.parse(name): values for name, values in it.series.items()},
            it.facts,
        )
        for it in spec.stories
    ]
    test = RuleTest(spec.name, stories, interval, ())
    return replace(test, expected=[_expectation(it, test) for it in spec.expect])


def _expectation(spec: ExpectSpec, test: RuleTest) -> Expectation:
    def named(names: Iterable[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(test.named(AlertId.parse(name)) for name in names)

    return Expectation(
        spec.at,
        named(spec.firing) or frozenset(),
        named(spec.pending),
        named(spec.inhibited),
        {test.named(AlertId.parse(name)): summary for name, summary in spec.summaries.items()},
    )
