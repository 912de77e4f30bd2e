"""What came of trying rules (`reconcile alerts test`): what happened when, and what should have been otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.alerting.rule_tests import Difference, Happened, RuleTestResult
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible
from reconciler.reports.words import count


def rule_tests_text(results: Sequence[RuleTestResult], *, color: bool) -> str:
    """Each test with its timeline; the last line counts."""
    paint = Palette(color)
    lines: list[str] = []
    for result in results:
        lines.append(f"{paint.bad('FAIL') if result.wrong else paint.good('ok  ')} {visible(result.name)}")
        lines += [f"       {line}" for line in aligned(_cells(it) for it in result.happened)]
        for difference in result.wrong:
            lines += _difference(difference, paint)
    failed = sum(bool(result.wrong) for result in results)
    lines += ["", paint.strong(f"{count(len(results), 'test')}, {failed} failed.")]
    return "".join(f"{line}\n" for line in lines)


def rule_tests_json(results: Sequence[RuleTestResult]) -> str:
    """{"format": 1, "tests": [the fields of RuleTestResult...]}."""
    return document(tests=results)


def clock(seconds: float) -> str:
    """`1h05m`, `90s` as `1m30s`: a time in a test."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h"] * bool(hours) + [f"{minutes}m"] * bool(minutes) + [f"{rest}s"] * bool(rest)
    return "".join(parts) or "0s"


def _difference(it: Difference, paint: Palette) -> Iterator[str]:
    yield f"     {paint.bad(f'at {clock(it.at_seconds)}, {visible(it.about)}')} (- expected, + seen)"
    yield from (f"       - {visible(text)}" for text in it.expected)
    yield from (f"       + {visible(text)}" for text in it.seen)


def _cells(happened: Happened) -> list[str]:
    value = "" if happened.value is None else f"{happened.value:.6g}"
    return [
        clock(happened.at_seconds),
        visible(happened.alert),
        f"{happened.before.value} -> {happened.after.value}",
        value,
        visible(happened.summary),
    ]
