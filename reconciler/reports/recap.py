"""What an apply did: one line for every targeted host, then what went wrong and what to do, then the sum.

`reconcile apply` prints it last; equal errors on many hosts stand there once.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reconciler.errors import NOWHERE, Problem
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import padded
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import count, duration, listed, natural
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class AppRecap:
    """How a run went for one app on one host; programs read it beside its plan."""

    app: str
    status: str
    """converged, failed, rolled-back ..."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> what was done to it: add, change or delete; also where it was taken back."""


@dataclass(frozen=True, slots=True)
class HostRecap:
    """How a run went on one host; the numbers count resources."""

    host: str
    ok: int = 0
    changed: int = 0
    failed: int = 0
    unknown: int = 0
    seconds: float = 0.0
    note: str = ""
    """Something short to know beside the numbers: `paused: disk swap`."""
    unreachable: str = ""
    """Why the host could not be reached; the numbers then say nothing."""
    problems: tuple[Problem, ...] = ()
    """What failed; shown below the lines of the hosts."""
    apps: tuple[AppRecap, ...] = ()
    """For programs; people read the plan above."""


def recap_text(recaps: Sequence[HostRecap], *, color: bool) -> str:
    """One aligned line a host, errors with their hints, and a last line with the sums."""
    paint = Palette(color)
    ordered = sorted(recaps, key=lambda recap: natural(recap.host))
    lines = [*_host_lines(ordered, paint), ""]
    errors = [line for group in _errors(ordered, paint) for line in group]
    if errors:
        lines += [*errors, ""]
    lines.append(paint.strong(_last_line(ordered)))
    return "".join(f"{line}\n" for line in lines)


def recap_json(recaps: Sequence[HostRecap]) -> str:
    """{"format": 1, "hosts": [the fields of HostRecap...]}, hosts in natural order."""
    return document(hosts=sorted(recaps, key=lambda recap: natural(recap.host)))


def _host_lines(recaps: Sequence[HostRecap], paint: Palette) -> Iterator[str]:
    reached = [recap for recap in recaps if not recap.unreachable]
    numbers = padded(_numbers(recap, paint) for recap in reached)
    longest = max((len(duration(recap.seconds)) for recap in reached), default=0)
    results = {
        recap.host: f"{' '.join(cells)}  {duration(recap.seconds):>{longest}}  {visible(recap.note)}".rstrip()
        for recap, cells in zip(reached, numbers, strict=True)
    }
    names = padded([visible(recap.host)] for recap in recaps)
    for recap, (name,) in zip(recaps, names, strict=True):
        lost = f"{paint.bad('unreachable:')} {visible(recap.unreachable)}"
        yield f"{name}  {results.get(recap.host, lost)}"


def _numbers(recap: HostRecap, paint: Palette) -> list[str]:
    ok, changed = f"ok={recap.ok}", f"changed={recap.changed}"
    failed, unknown = f"failed={recap.failed}", f"unknown={recap.unknown}"
    return [
        ok,
        paint.careful(changed) if recap.changed else changed,
        paint.bad(failed) if recap.failed or recap.problems else failed,
        paint.note(unknown) if recap.unknown else unknown,
    ]


def _errors(recaps: Sequence[HostRecap], paint: Palette) -> Iterator[list[str]]:
    hosts: dict[Problem, set[str]] = defaultdict(set)
    for recap in recaps:
        for problem in recap.problems:
            elsewhere = dataclasses.replace(problem.place, host="")
            hosts[dataclasses.replace(problem, place=elsewhere)].add(recap.host)
    for problem, names in sorted(hosts.items()):
        where = f"{visible(str(problem.place))} on " if problem.place != NOWHERE else ""
        first, *more = visible_lines(problem.message)
        hint = visible_lines(problem.hint) if problem.hint else []
        yield [f"{paint.bad('error:')} {where}{listed(names)}: {first}", *(f"  {line}" for line in [*more, *hint])]


def _last_line(recaps: Sequence[HostRecap]) -> str:
    failed = sum(bool(recap.failed or recap.problems) and not recap.unreachable for recap in recaps)
    unreachable = sum(bool(recap.unreachable) for recap in recaps)
    well = [recap for recap in recaps if not (recap.unreachable or recap.failed or recap.problems)]
    changed = sum(bool(recap.changed) for recap in well)
    parts = [(changed, "changed"), (len(well) - changed, "unchanged"), (failed, "failed"), (unreachable, "unreachable")]
    told = ", ".join(f"{number} {word}" for number, word in parts if number)
    return f"{count(len(recaps), 'host')}: {told}." if told else "0 hosts."
