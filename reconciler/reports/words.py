"""Small pieces of sentences that all reports share: counts, lists of names, ages, durations, revisions."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache

from reconciler.model.tree import WORKING_TREE
from reconciler.reports.visible import visible

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DIGITS = re.compile(r"(\d+)")


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 host`, `2 hosts`; an irregular plural is given."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


@lru_cache(1 << 16)
def natural(name: str) -> tuple[tuple[str, int, str], ...]:
    """A sort key that puts web-2 before web-10; names that look the same to it are still told apart."""
    return tuple(
        (part, 0, part) if index % 2 == 0 else ("", int(part), part) for index, part in enumerate(_DIGITS.split(name))
    )


def listed(names: Collection[str], *, complete: bool = False) -> str:
    """`web-1`, `web-1 and web-2`, `web-1, web-2 and 48 more`; with `complete` every name."""
    ordered = [visible(name) for name in sorted(names, key=natural)]
    if len(ordered) > 4 and not complete:
        return f"{ordered[0]}, {ordered[1]} and {len(ordered) - 2} more"
    if len(ordered) < 2:
        return "".join(ordered)
    return f"{', '.join(ordered[:-1])} and {ordered[-1]}"


def short(revision: str) -> str:
    """A full commit hash cut to seven digits; other names of revisions as they are."""
    return revision[:7] if _COMMIT.fullmatch(revision) else visible(revision) or WORKING_TREE


def revision_text(revision: str) -> str:
    """`revision 1a2b3c4`, or `the working tree` where there is no commit."""
    name = short(revision)
    return f"the {WORKING_TREE}" if name == WORKING_TREE else f"revision {name}"


def moment(when: datetime | None) -> str:
    """`2026-11-23 06:31:16Z`, always UTC; `-` where there is none."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if when else "-"


def age(when: datetime | None, now: datetime) -> str:
    """`5m ago`, in the largest unit that fits; `never` where there is no moment, `now` below a second."""
    if when is None:
        return "never"
    seconds = int((now - when).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if seconds >= length:
            return f"{seconds // length}{unit} ago"
    return "now"


def duration(seconds: float) -> str:
    """`1.2s`, `2m05s`, `1h02m`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"
