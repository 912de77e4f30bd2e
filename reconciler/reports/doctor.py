"""Whether everything that Reconciler needs is there (`reconcile doctor`), and how to put right what is not."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import count
from reconciler.resources.values import dataclass


class Outcome(enum.Enum):
    """How a check ended. A failure keeps something from working, a warning will some day."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    message: str
    """What was found: `Valkey 9.1.2, append-only, noeviction`."""
    remedy: str = ""
    """What to do about it; for warnings and failures."""


def doctor_text(checks: Sequence[Check], *, color: bool) -> str:
    """One line a check in the order given, its remedy below it, and a last line with the sums."""
    paint = Palette(color)
    lines = [line for check in checks for line in _lines(check, paint)]
    return "".join(f"{line}\n" for line in [*lines, "", paint.strong(_last_line(checks))])


def doctor_json(checks: Sequence[Check]) -> str:
    """{"format": 1, "checks": [{"name", "outcome": ok, warn or fail, "message", "remedy"}...]}."""
    return document(checks=checks)


def _lines(check: Check, paint: Palette) -> Iterator[str]:
    painter = {Outcome.OK: paint.good, Outcome.WARN: paint.careful, Outcome.FAIL: paint.bad}[check.outcome]
    yield f"{painter(f'{check.outcome.value:<4}')}  {paint.strong(visible(check.name))}: {visible(check.message)}"
    if check.remedy:
        yield from (f"      {line}" for line in visible_lines(check.remedy))


def _last_line(checks: Sequence[Check]) -> str:
    found = Counter(check.outcome for check in checks)
    told = [count(found[Outcome.FAIL], "failure")] if found[Outcome.FAIL] else []
    told += [count(found[Outcome.WARN], "warning")] if found[Outcome.WARN] else []
    return f"{count(len(checks), 'check')}: {', '.join(told) or 'all is well'}."
