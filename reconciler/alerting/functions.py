"""What expressions may do with the samples of a window: averages, rates, quantiles, predictions.

Each takes the samples oldest first and returns a number, or None where there are too few to tell. Counters that fall
count as started anew, as Prometheus has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one metric in a window, oldest first; times are seconds of one clock."""

    times: Sequence[float] = ()
    values: Sequence[float] = ()


def average(samples: Samples) -> float | None:
    return sum(samples.values) / len(samples.values) if samples.values else None


def minimum(samples: Samples) -> float | None:
    return min(samples.values, default=None)


def maximum(samples: Samples) -> float | None:
    return max(samples.values, default=None)


def total(samples: Samples) -> float | None:
    return sum(samples.values) if samples.values else None


def count(samples: Samples) -> float | None:
    return float(len(samples.values))


def delta(samples: Samples) -> float | None:
    """By how much it is more at the end than at the beginning."""
    return samples.values[-1] - samples.values[0] if len(samples.values) > 1 else None


def rate(samples: Samples) -> float | None:
    """Increase a second of a counter."""
    if len(samples.values) < 2 or samples.times[-1] <= samples.times[0]:
        return None
    increase = sum(after - before if after >= before else after for before, after in pairwise(samples.values))
    return increase / (samples.times[-1] - samples.times[0])


def changes(samples: Samples) -> float | None:
    """How often it changed."""
    return float(sum(before != after for before, after in pairwise(samples.values))) if samples.values else None


WINDOWED: Mapping[str, Callable[[Samples], float | None]] = {
    "avg": average,
    "min": minimum,
    "max": maximum,
    "sum": total,
    "count": count,
    "delta": delta,
    "rate": rate,
    "changes": changes,
}
"""Functions of a metric and a `window`, by their name in expressions."""

OVER_ALL: frozenset[str] = frozenset({"avg", "min", "max", "sum", "count", "quantile"})
"""Functions that, without a window, look at the newest value of every host, filesystem and so on."""


def quantile(samples: Samples, share: float) -> float | None:
    """The value that `share` (0 to 1) of the samples do not exceed, between neighbours by proportion."""
    if not samples.values:
        return None
    ordered = sorted(samples.values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def predict(samples: Samples, ahead: float) -> float | None:
    """The value `ahead` seconds after the last sample, if it goes on along the straight line of least squares."""
    number = len(samples.values)
    if number < 2:
        return None
    middle = sum(samples.times) / number
    mean = sum(samples.values) / number
    spread = sum((time - middle) ** 2 for time in samples.times)
    if spread == 0:
        return None
    slope = sum((time - middle) * (value - mean) for time, value in zip(samples.times, samples.values, strict=True))
    return mean + slope / spread * (samples.times[-1] + ahead - middle)
