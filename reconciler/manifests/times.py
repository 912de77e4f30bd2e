"""Times in manifests: time zones, times of the week, and `from` until `until`."""

import re
from collections.abc import Mapping
from datetime import time
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from reconciler.errors import did_you_mean
from reconciler.manifests.door import Door, failure, shown
from reconciler.manifests.fields import Moment, filled
from reconciler.model.times import WEEKDAYS, Weekly, Window

_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})\Z")
_DAYS: Mapping[str, int] = {short: number for number, day in enumerate(WEEKDAYS) for short in (day, day[:3])}


@cache
def _zones() -> frozenset[str]:
    """The names that the library of time zones knows, so that every machine comes to the same verdict; each is found
    everywhere. What else a system calls a zone, such as its own `localtime`, means something else on the next one.
    """
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _timezone(value: Any) -> str:
    text = filled(value)
    if text not in _zones():
        hint = did_you_mean(text, _zones()) or "Write it like UTC or Europe/Berlin"
        raise failure(f'there is no time zone "{shown(text)}"', hint, "unknown-timezone")
    return text


def _weekday(value: Any) -> list[int]:
    """The days of `monday`, `mon` or `mon-fri`."""
    first, _, last = filled(value).lower().partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        raise failure(f'"{shown(value)}" is no day of the week', "Write it like monday or mon-fri")
    start, end = _DAYS[first], _DAYS[last or first]
    return [(start + offset) % 7 for offset in range((end - start) % 7 + 1)]


def _span(value: Any) -> tuple[time, time]:
    found = _SPAN.match(filled(value))
    try:
        if found:
            hours, minutes, end_hours, end_minutes = map(int, found.groups())
            end = time() if (end_hours, end_minutes) == (24, 0) else time(end_hours, end_minutes)
            return time(hours, minutes), end
    except ValueError:
        pass
    raise failure(f'"{shown(value)}" is no span of a day', 'Write it like "22:00-06:00"')


Timezone: TypeAlias = Annotated[
    str, PlainValidator(_timezone), WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Berlin"]})
]
_Weekday: TypeAlias = Annotated[
    list[int], PlainValidator(_weekday), WithJsonSchema({"type": "string", "examples": ["monday", "mon-fri"]})
]
_Span: TypeAlias = Annotated[
    tuple[time, time],
    PlainValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}-\d{2}:\d{2}$", "examples": ["22:00-06:00"]}),
]


class TimesSpec(Door):
    """Spans of the day on days of the week."""

    weekdays: list[_Weekday] | None = Field(
        None, description="Days such as monday or mon-fri; none: all.", min_length=1
    )
    times: list[_Span] | None = Field(None, description="Spans such as 22:00-06:00; none: all day.", min_length=1)
    timezone: Timezone = Field("UTC", description="Whose wall clock.")


def read_times(specs: list[TimesSpec] | None) -> tuple[Weekly, ...]:
    """The model values of a list of times."""
    return tuple(
        Weekly(
            frozenset(day for days in spec.weekdays for day in days) if spec.weekdays else frozenset(range(7)),
            tuple(spec.times) if spec.times else ((time(), time()),),
            spec.timezone,
        )
        for spec in specs or ()
    )


class WindowSpec(Door):
    """What silences and freezes share: when, and why."""

    from_: Moment | None = Field(None, alias="from", description="When it begins.", examples=["2026-12-24T00:00:00Z"])
    until: Moment | None = Field(None, description="When it ends.", examples=["2026-12-27T00:00:00Z"])
    times: list[TimesSpec] | None = Field(None, description="Times of the week instead.", min_length=1)
    reason: str = Field(description="Why, for those who ask.", examples=["holidays"])


def read_window(spec: WindowSpec) -> Window:
    """The model value.

    Raises:
        PydanticCustomError: neither or both of the two ways are given, or the end is not after the beginning.
    """
    span = (spec.from_ is not None, spec.until is not None)
    if spec.times is not None and any(span):
        raise failure("it takes from and until, or times", "Keep one of them")
    if spec.times is None and not all(span):
        raise failure("it needs from and until, or times", "Add from: and until:")
    if spec.from_ and spec.until and spec.until <= spec.from_:
        raise failure("until is not after from", "Exchange them")
    return Window(spec.from_, spec.until, read_times(spec.times))
