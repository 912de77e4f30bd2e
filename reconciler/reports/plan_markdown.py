"""A plan as Markdown: a page for people, or one sticky comment on a pull request that fits GitHub's limit.

A workflow finds its earlier comment by the marker in the first line, and replaces it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from reconciler.model.observed import Drift
from reconciler.model.plan import Action, Change, Plan
from reconciler.reports.markdown import code, details, fence, html_code
from reconciler.reports.plan_outline import (
    DriftSection,
    Section,
    drift_sections,
    held_changes,
    last_line,
    sections,
)
from reconciler.reports.words import count, natural

MARKER = "<!-- reconciler plan -->"

GITHUB_CHARACTERS = 65_536
"""GitHub refuses a comment that is longer ("body is too long")."""

_NOTE_ROOM = 300
_TABLE_ROWS = 50
_CUT_LINES = 40


def plan_markdown(plan: Plan) -> str:
    """The whole plan as a Markdown page: how much changes first, then every app with every host and diff."""
    parts = [*_summary(plan)]
    for section in sections(plan, verbose=True):
        parts += [f"#### {_title(section, code, complete=True)}", _body(section)]
    for drift in drift_sections(plan):
        parts += [f"#### Drift: {_title(drift, code, complete=True)}", _drift_body(drift)]
    return "\n\n".join(parts) + "\n"


def plan_github(plan: Plan) -> str:
    """The plan as one comment: summary first, details folded; what had to be left out is said."""
    parts = [MARKER, *_summary(plan)]
    forms = [_forms(section) for section in sections(plan)] + [_drift_forms(part) for part in drift_sections(plan)]
    room = GITHUB_CHARACTERS - _NOTE_ROOM - sum(len(part) + 2 for part in parts)
    chosen = _fitting(forms, room)
    parts += [text for text in chosen if text]
    absent = sum(not text for text in chosen)
    cut = sum(text != form[-1] for text, form in zip(chosen, forms, strict=True)) - absent
    if absent or cut:
        missing = f"{count(cut, 'group')} with diffs cut, {count(absent, 'group')} not shown at all"
        parts.append(f"> **Shortened to fit into a comment:** {missing}. Everything: `reconcile --dry-run -v`")
    return "\n\n".join(parts) + "\n"


def _fitting(forms: Sequence[Sequence[str]], room: int) -> list[str]:
    """For each part its richest form that fits: first everything as short as possible, then longer in order."""
    chosen = [""] * len(forms)
    for level in range(max((len(form) for form in forms), default=0)):
        for index, form in enumerate(forms):
            longer = form[min(level, len(form) - 1)]
            extra = len(longer) - len(chosen[index]) + (0 if chosen[index] else 2)
            if extra <= room:
                chosen[index] = longer
                room -= extra
    return chosen


def _summary(plan: Plan) -> Iterator[str]:
    yield "### Reconciler plan"
    yield f"**{last_line(plan)}**"
    if plan.refused:
        yield f"An apply would be refused: {code(plan.refused)}"
    if any(app.changes for app in plan.apps):
        yield _table(plan)
    held = held_changes(plan)
    if held:
        waits = "is held back and waits" if held == 1 else "are held back and wait"
        yield f"Of these, {count(held, 'change')} {waits}."
    if plan.drifted:
        yield f"Drift: {count(plan.drifted, 'resource')} no longer as left."
    if plan.forgotten:
        be = "is" if len(plan.forgotten) == 1 else "are"
        yield f"Forgotten, not touched: {_hosts(plan.forgotten, code)} {be} no longer in the manifests."
    if not plan.empty:
        yield f"Plan id: {code(plan.id)}"


def _table(plan: Plan) -> str:
    numbers: dict[str, Counter[Action]] = defaultdict(Counter)
    hosts: dict[str, set[str]] = defaultdict(set)
    for app, change in plan.changes():
        numbers[app.app][change.action] += 1
        hosts[app.app].add(app.host)
    lines = ["| app | hosts | add | change | delete | unknown |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name in sorted(numbers)[:_TABLE_ROWS]:
        cells = [code(name).replace("|", "\\|"), str(len(hosts[name]))]
        lines.append(f"| {' | '.join(cells + [str(numbers[name][action]) for action in Action])} |")
    if len(numbers) > _TABLE_ROWS:
        lines.append(f"| and {count(len(numbers) - _TABLE_ROWS, 'more app')} | | | | | |")
    return "\n".join(lines)


def _forms(section: Section) -> tuple[str, ...]:
    """The section folded, from its shortest form to its longest."""
    bodies = (_body(section, diff_lines=0), _body(section, diff_lines=_CUT_LINES), _body(section))
    return tuple(details(_title(section, html_code), body) for body in bodies)


def _drift_forms(section: DriftSection) -> tuple[str, ...]:
    return (details(f"Drift: {_title(section, html_code)}", _drift_body(section)),)


def _title(section: Section | DriftSection, code_of: Callable[[str], str], *, complete: bool = False) -> str:
    held = section.held if isinstance(section, Section) else ""
    where = f"{code_of(section.app)} on {_hosts(section.hosts, code_of, complete=complete)}"
    return f"{where}, held back: {code_of(held)}" if held else where


def _hosts(names: Sequence[str], code_of: Callable[[str], str], *, complete: bool = False) -> str:
    ordered = sorted(names, key=natural)
    shown = ordered if complete or len(ordered) <= 4 else ordered[:2]
    more = f" and {len(ordered) - len(shown)} more" if len(shown) < len(ordered) else ""
    return ", ".join(code_of(name) for name in shown) + more


def _body(section: Section, *, diff_lines: int | None = None) -> str:
    parts = [_change(change, diff_lines) for change in section.changes]
    parts += [f"- then {code(text)}" for text in section.follow_ups]
    parts += [f"- left behind: {code(text)}" for text in section.left_behind]
    return "\n".join(parts) or "Nothing changes here."


def _change(change: Change, diff_lines: int | None) -> str:
    reason = f" ({code(change.reason)})" if change.reason else ""
    item = f"- **{change.action.value}** {code(change.resource)}{reason}"
    shown = change.diff[:diff_lines]
    more = len(change.diff) - len(shown)
    if not change.diff:
        return item
    if not shown:
        return f"{item}: {count(more, 'line')} of diff not shown"
    note = [f"... {count(more, 'more line')}"] if more else []
    return f"{item}\n\n{fence([*shown, *note], 'diff')}\n"


def _drift_body(section: DriftSection) -> str:
    return "\n".join(_drift(drift) for drift in section.drift)


def _drift(drift: Drift) -> str:
    differences = ": " + ", ".join(code(text) for text in drift.differences) if drift.differences else ""
    text = f"\n\n{fence(list(drift.diff), 'diff')}\n" if drift.diff else ""
    return f"- {code(drift.resource)}{differences}{text}"
