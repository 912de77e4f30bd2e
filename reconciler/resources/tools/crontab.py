"""The text of a crontab: which schedules cron takes, and how a command is written so that it means what it says.

Used by `cron`, and by the manifests room to refuse a schedule before any host sees it. Source: crontab(5).
"""

from __future__ import annotations

import re
from typing import Mapping, Tuple

NICKNAMES = frozenset({"@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
MAX_COMMAND = 900
"""Characters; Debian's cron refuses a command of 1,000 and, with it, the whole file."""

_MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)  # noqa: C408 - it fits
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: Tuple[Tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")


def name_problem(name: str) -> str:
    """Why cron would pass over a file of this name, or empty."""
    return "" if _NAME.match(name) else "cron reads only files whose names have letters, digits, - and _"


def schedule_problem(schedule: str) -> str:
    """Why cron would not take this schedule, or empty."""
    words = schedule.split()
    if schedule.startswith("@"):
        return "" if schedule in NICKNAMES else f"cron knows no {schedule}"
    if len(words) != len(_FIELDS):
        return f"cron takes five fields, not {len(words)}"
    for word, (name, low, high, names) in zip(words, _FIELDS):
        if not all(_fits(part, low, high, names) for part in word.split(",")):
            return f'"{word}" is no {name} ({low} to {high})'
    return ""


def command_problem(command: str) -> str:
    """Why a command cannot be an entry, or empty."""
    if re.search(r"[\n\r]", command) or len(command) > MAX_COMMAND:
        return f"cron takes one line of at most {MAX_COMMAND} characters"
    return "% is escaped for cron by itself" if r"\%" in command else ""


def entry(schedule: str, user: str, command: str) -> str:
    """One line of a file in /etc/cron.d; a bare % would be a line break to cron."""
    return f"{' '.join(schedule.split())} {user} {command}\n".replace("%", r"\%")


def _fits(part: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    found = _PART.match(part)
    if found is None:
        return False
    if found["step"] is not None and (int(found["step"]) == 0 or (found["first"] and not found["last"])):
        return False
    ends = [found["first"], found["last"]]
    numbers = [names.get(end.lower(), int(end) if end.isdigit() else -1) for end in ends if end]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)
