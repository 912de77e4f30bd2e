"""Hosts whose samples someone wrote down, as the place sees them where rules are evaluated. Pure.

Made by `rule_tests`; each series is a value for every interval, NaN where there is no sample.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from reconciler.alerting.evaluation import Subject
from reconciler.alerting.functions import Samples
from reconciler.alerting.life import stale_after
from reconciler.alerting.view import Value, View
from reconciler.model.metrics import METRICS
from reconciler.model.samples import Series
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class HostStory:
    """What a host measures in a test."""

    host: Subject
    series: Mapping[Series, Sequence[float]]
    """Values from the beginning on; NaN where there is no sample."""
    facts: Mapping[str, object] = field(default_factory=dict)


class WrittenHost:
    """A host of a test along its time.

    Args:
        interval_seconds: between two samples.
    """

    def __init__(self, story: HostStory, interval_seconds: float) -> None:
        self._facts = {**story.facts, "host": {"name": story.host.name, "labels": dict(story.host.labels)}}
        self._samples = {series: _present(values, interval_seconds) for series, values in story.series.items()}
        self._times = sorted({time for samples in self._samples.values() for time in samples.times})
        self._fresh_seconds = stale_after(interval_seconds)
        self.subject = story.host
        self.length = max((len(values) for values in story.series.values()), default=0)

    def age(self, seconds: float) -> float | None:
        """How long ago its last sample of anything was then; None: there was none."""
        before = bisect_right(self._times, seconds)
        return seconds - self._times[before - 1] if before else None

    def view(self, seconds: float, instance: str) -> View:
        """What an expression sees then, of one filesystem and so on."""
        return _Sight(self, seconds, instance)

    def values(self, seconds: float) -> Mapping[str, float]:
        """The newest fresh values by the texts of their series."""
        newest = {str(series): self.newest(series, seconds) for series in self._samples}
        return {series: found[1] for series, found in newest.items() if found}

    def newest(self, series: Series, seconds: float) -> tuple[float, float] | None:
        """Time and value of the last sample that is fresh."""
        window = self.window(series, seconds, self._fresh_seconds)
        return (window.times[-1], window.values[-1]) if window.values else None

    def window(self, series: Series, seconds: float, length: float) -> Samples:
        """The samples of the last `length` seconds."""
        samples = self._samples.get(series, Samples())
        first, last = bisect_right(samples.times, seconds - length), bisect_right(samples.times, seconds)
        return Samples(samples.times[first:last], samples.values[first:last])

    def every(self, metric: str) -> Sequence[Series]:
        """The series of a metric."""
        return [series for series in self._samples if series.metric == metric]

    def fact(self, path: tuple[str, ...]) -> Value:
        """A fact, or a part of `host`."""
        found: object = self._facts
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, bool | int | float | str) else None

    def instances(self, each: str) -> Sequence[str]:
        """What there is of filesystems and so on."""
        metrics = {name for name, metric in METRICS.items() if metric.each == each}
        return sorted({series.instance for series in self._samples if series.metric in metrics})


@dataclass(frozen=True, slots=True)
class _Sight:
    """Implements `View` for one moment and instance."""

    written: WrittenHost
    seconds: float
    instance: str

    def value(self, metric: str) -> float | None:
        found = self.written.newest(self._series(metric), self.seconds)
        return found[1] if found else None

    def window(self, metric: str, seconds: float) -> Samples:
        return self.written.window(self._series(metric), self.seconds, seconds)

    def all(self, metric: str) -> Samples:
        found = [self.written.newest(series, self.seconds) for series in self.written.every(metric)]
        present = [it for it in found if it is not None]
        return Samples([time for time, _ in present], [value for _, value in present])

    def age(self, metric: str) -> float | None:
        times = self.written.window(self._series(metric), self.seconds, math.inf).times
        return self.seconds - times[-1] if times else None

    def fact(self, path: tuple[str, ...]) -> Value:
        return self.written.fact(path)

    def firing(self, selector: Selector) -> int:  # noqa: ARG002 - a host sees no alerts, only the fleet does
        return 0

    def _series(self, metric: str) -> Series:
        several = metric in METRICS and METRICS[metric].each
        return Series(metric, self.instance if several else "")


def _present(values: Sequence[float], interval: float) -> Samples:
    kept = [(number * interval, value) for number, value in enumerate(values) if not math.isnan(value)]
    return Samples([time for time, _ in kept], [value for _, value in kept])
