"""The samples of one host that its alert rules look back at, kept in memory, and the view of them that rules have.

Samples of the last 15 minutes stay as they are, older ones as averages of a minute, as far back as the longest window.
Times are monotonic seconds, so that a wall clock that jumps moves nothing. Filled by the collector.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from reconciler.alerting.functions import Samples
from reconciler.alerting.muting import selects
from reconciler.alerting.view import Value
from reconciler.model.alerts import ActiveAlert
from reconciler.model.metrics import METRICS
from reconciler.model.samples import Series
from reconciler.model.selector import Selector
from reconciler.resources.values import dataclass, field

RAW_SECONDS = 900.0
MINUTE_SECONDS = 60.0
_SLACK_SECONDS = 120.0
"""How much more than needed stays before it is cut off, so that cutting is rare."""


@dataclass(slots=True)
class Track:
    """One series: minutes, then raw samples, each oldest first."""

    minute_times: array[float] = field(default_factory=lambda: array("d"))
    minute_values: array[float] = field(default_factory=lambda: array("d"))
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, at: float, value: float, window: float) -> None:
        """One more sample; samples come in the order of their times."""
        self.times.append(at)
        self.values.append(value)
        if at - self.times[0] > min(window, RAW_SECONDS) + _SLACK_SECONDS:
            self._cut(at, window)

    def since(self, moment: float) -> Samples:
        """The samples from a moment on."""
        first = bisect_left(self.times, moment)
        if first or not self.minute_times:
            return Samples(self.times[first:], self.values[first:])
        early = bisect_left(self.minute_times, moment)
        return Samples(self.minute_times[early:] + self.times, self.minute_values[early:] + self.values)

    def _cut(self, now: float, window: float) -> None:
        """Whole minutes that are older than raw samples need to be become averages; what is older still is gone."""
        until = bisect_left(self.times, (now - min(window, RAW_SECONDS)) // MINUTE_SECONDS * MINUTE_SECONDS)
        if window > RAW_SECONDS:
            self._average(until)
            gone = bisect_left(self.minute_times, now - window - MINUTE_SECONDS)
            del self.minute_times[:gone], self.minute_values[:gone]
        del self.times[:until], self.values[:until]

    def _average(self, until: int) -> None:
        first = 0
        while first < until:
            end = bisect_left(self.times, (self.times[first] // MINUTE_SECONDS + 1) * MINUTE_SECONDS, first, until)
            self.minute_times.append(sum(self.times[first:end]) / (end - first))
            self.minute_values.append(sum(self.values[first:end]) / (end - first))
            first = end


@dataclass(slots=True)
class Newest:
    """The last sample of one series."""

    at: float
    value: float


class Ring:
    """What is known of one host's metrics.

    Args:
        windows: metric -> how far back rules look at it, in seconds; others keep their newest value only.
        fresh_seconds: a value that is older is not known any more.
    """

    def __init__(self, windows: Mapping[str, float], fresh_seconds: float) -> None:
        self.windows = windows
        self.fresh_seconds = fresh_seconds
        self._tracks: dict[Series, Track] = {}
        self._newest: dict[Series, Newest] = {}
        self._names: dict[str, Series] = {}

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """A sample, by the texts of its series."""
        for text, value in values.items():
            series = self._names.get(text) or self._names.setdefault(text, Series.parse(text))
            newest = self._newest.get(series)
            if newest is None:
                self._newest[series] = Newest(at, value)
            else:
                newest.at, newest.value = at, value
            window = self.windows.get(series.metric, 0.0)
            if window:
                self._track(series).add(at, value, window)

    def look_back(self, windows: Mapping[str, float], fresh_seconds: float) -> None:
        """Rules have changed: look back as far as these do."""
        self.windows, self.fresh_seconds = windows, fresh_seconds
        self._tracks = {series: track for series, track in self._tracks.items() if windows.get(series.metric)}

    def fill(self, text: str, points: Iterable[tuple[float, float]], interval: float) -> None:
        """What was measured before this process took its first sample; times may be up to an interval early."""
        series = Series.parse(text)
        window = self.windows.get(series.metric, 0.0)
        known = self._tracks.get(series, Track())
        track = self._tracks[series] = Track()
        first = known.times[0] if known.times else float("inf")
        earlier = [(at, value) for at, value in points if at <= first - interval]
        for at, value in [*earlier, *zip(known.times, known.values, strict=True)]:
            track.add(at, value, window)

    def forget(self, before: float) -> None:
        """Forget series that nothing came for since a moment: things that are gone."""
        for series in [series for series, newest in self._newest.items() if newest.at < before]:
            del self._newest[series]
            self._tracks.pop(series, None)
        self._names = {text: series for text, series in self._names.items() if series in self._newest}

    def instances(self, each: str, now: float) -> Sequence[str]:
        """What there is of `filesystem`, `service` and so on, sorted."""
        since = now - self.fresh_seconds
        return sorted(
            {
                series.instance
                for series, newest in self._newest.items()
                if series.instance
                and newest.at >= since
                and (metric := METRICS.get(series.metric)) is not None
                and metric.each == each
            }
        )

    def newest(self, series: Series, now: float) -> float | None:
        """The last value, where it is fresh."""
        found = self._newest.get(series)
        return found.value if found is not None and now - found.at <= self.fresh_seconds else None

    def age(self, series: Series, now: float) -> float | None:
        """Seconds since the last sample."""
        found = self._newest.get(series)
        return now - found.at if found is not None else None

    def window(self, series: Series, seconds: float, now: float) -> Samples:
        """The samples of the last seconds."""
        track = self._tracks.get(series)
        return track.since(now - seconds) if track is not None else Samples()

    def all(self, metric: str, now: float) -> Samples:
        """The newest values of all instances that are fresh."""
        since = now - self.fresh_seconds
        found = [newest for series, newest in self._newest.items() if series.metric == metric and newest.at >= since]
        return Samples([newest.at for newest in found], [newest.value for newest in found])

    def _track(self, series: Series) -> Track:
        return self._tracks.get(series) or self._tracks.setdefault(series, Track())


@dataclass(frozen=True, slots=True)
class RingView:
    """See `alerting.view.View`: one instance of one host at one moment.

    Args:
        now: monotonic seconds, of the ring.
        facts: of the host, and its own parts under `host`.
        alerts: those that fire on the host.
    """

    ring: Ring
    instance: str
    now: float
    facts: Mapping[str, object] = field(default_factory=dict)
    alerts: Sequence[ActiveAlert] = ()

    def value(self, metric: str) -> float | None:
        """See View."""
        return self.ring.newest(self._series(metric), self.now)

    def window(self, metric: str, seconds: float) -> Samples:
        """See View."""
        return self.ring.window(self._series(metric), seconds, self.now)

    def all(self, metric: str) -> Samples:
        """See View."""
        return self.ring.all(metric, self.now)

    def age(self, metric: str) -> float | None:
        """See View."""
        return self.ring.age(self._series(metric), self.now)

    def fact(self, path: tuple[str, ...]) -> Value:
        """See View."""
        found: object = self.facts
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, str | bool | int | float) else None

    def firing(self, selector: Selector) -> int:
        """See View."""
        return sum(selects(selector, alert) for alert in self.alerts)

    def _series(self, metric: str) -> Series:
        known = METRICS.get(metric)
        return Series(metric, self.instance if known is not None and known.each else "")
