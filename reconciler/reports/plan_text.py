"""A plan for a terminal: what changes, where, why and what follows, ending with one line that says how much.

`reconcile plan` and `reconcile apply` print it. Equal diffs on many hosts stand there once, with the hosts' names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.model.observed import Drift
from reconciler.model.plan import NEVER_LOOKED, Action, Change, Plan
from reconciler.reports.colour import Palette
from reconciler.reports.plan_outline import (
    DriftSection,
    Section,
    drift_sections,
    held_changes,
    last_line,
    refusal,
    sections,
)
from reconciler.reports.visible import visible, visible_line
from reconciler.reports.words import count, listed, revision_text

DIFF_LINES = 60
"""Lines of one diff that are shown without -v."""

LINE_CHARACTERS = 400
"""Characters of one diff line that are shown without -v."""


def plan_text(plan: Plan, *, color: bool, dry_run: bool, verbose: bool = False) -> str:
    """The plan as text that ends with a line end; the last line is the one that scripts and people look for.

    Args:
        plan: what an apply does.
        color: paint for a terminal; foreign control codes are made visible either way.
        dry_run: say "would", since nothing is going to happen.
        verbose: name every host and show every diff whole.
    """
    writer = _Writer(plan, Palette(color), dry_run=dry_run, verbose=verbose)
    return "".join(f"{line}\n" for line in writer.lines())


class _Writer:
    """Carries how to write (colour, mood, length) through the parts of one plan."""

    def __init__(self, plan: Plan, palette: Palette, *, dry_run: bool, verbose: bool) -> None:
        self._plan = plan
        self._paint = palette
        self._dry_run = dry_run
        self._verbose = verbose

    def lines(self) -> Iterator[str]:
        """All lines of the plan."""
        blocks = [self._opening()]
        blocks += [self._section(section) for section in sections(self._plan, verbose=self._verbose)]
        blocks += [self._drift(), self._forgotten()]
        for block in blocks:
            lines = list(block)
            if lines:
                yield from lines
                yield ""
        yield from self._ending()

    def _opening(self) -> Iterator[str]:
        if any(app.changes for app in self._plan.apps):
            verb = "would bring" if self._dry_run else "brings"
            revision = revision_text(self._plan.revision)
            yield f"{revision[0].upper()}{revision[1:]} {verb} these changes:"

    def _section(self, section: Section) -> Iterator[str]:
        hosts = listed(section.hosts, complete=self._verbose)
        held = f", {self._paint.careful('held back:')} {visible(section.held)}" if section.held else ""
        yield f"{self._paint.strong(visible(section.app))} on {hosts}{held}"
        for change in section.changes:
            yield from self._change(change)
        then = "would then" if self._dry_run else "then"
        yield from (f"  {self._paint.note(then)} {visible(text)}" for text in section.follow_ups)
        yield from (f"  {self._paint.quiet('left behind:')} {visible(text)}" for text in section.left_behind)

    def _change(self, change: Change) -> Iterator[str]:
        reason = self._paint.quiet(f"  ({visible(change.reason)})") if change.reason else ""
        yield f"  {self._paint.action(change.action, f'{change.action.symbol} {visible(change.resource)}')}{reason}"
        yield from (f"      {line}" for line in self._diff(change.diff))

    def _diff(self, lines: tuple[str, ...]) -> Iterator[str]:
        shown = lines if self._verbose or len(lines) <= DIFF_LINES else lines[: DIFF_LINES * 2 // 3]
        yield from (_diff_line(line, self._paint, verbose=self._verbose) for line in shown)
        if len(shown) < len(lines):
            more = count(len(lines) - len(shown), "more line")
            yield self._paint.quiet(f"... {more}, -v shows all")

    def _drift(self) -> Iterator[str]:
        if not self._plan.drifted:
            return
        hosts = {app.host for app in self._plan.apps if app.drift}
        verb = "looks" if self._plan.drifted == 1 else "look"
        they = "it was" if self._plan.drifted == 1 else "they were"
        resources = count(self._plan.drifted, "resource")
        where = count(len(hosts), "host")
        yield f"{self._paint.careful('Drift:')} {resources} on {where} no longer {verb} as {they} left."
        for section in drift_sections(self._plan):
            yield from self._drift_section(section)

    def _drift_section(self, section: DriftSection) -> Iterator[str]:
        hosts = listed(section.hosts, complete=self._verbose)
        yield f"  {self._paint.strong(visible(section.app))} on {hosts}"
        for drift in section.drift:
            yield from drift_lines(drift, self._paint, indent="    ")

    def _forgotten(self) -> Iterator[str]:
        hosts = self._plan.forgotten
        if hosts:
            be = "would be" if self._dry_run else "is" if len(hosts) == 1 else "are"
            names = listed(hosts, complete=self._verbose)
            yield f"Forgotten: {names} left the manifests and {be} forgotten, not touched."

    def _ending(self) -> Iterator[str]:
        held = held_changes(self._plan)
        if held:
            waits = "is held back and waits" if held == 1 else "are held back and wait"
            yield f"Of these, {count(held, 'change')} {waits}."
        if self._plan.refused and self._dry_run:
            yield self._paint.bad(visible(refusal(self._plan)))
        if any(change.reason == NEVER_LOOKED for app in self._plan.apps for change in app.changes):
            yield "An apply looks first at what was never looked at, and changes only what differs."
        if not self._plan.empty:
            yield f"Plan id: {self._plan.id}"
        yield self._paint.strong(last_line(self._plan))


def _diff_line(line: str, paint: Palette, *, verbose: bool) -> str:
    text = visible_line(line)
    hidden = 0 if verbose else len(text) - LINE_CHARACTERS
    if hidden > 0:
        text = f"{text[:LINE_CHARACTERS]} ... {count(hidden, 'more character')}, -v shows all"
    match line[:1]:
        case "+":
            return paint.good(text)
        case "-":
            return paint.bad(text)
        case "@":
            return paint.quiet(text)
        case _:
            return text


def drift_lines(drift: Drift, palette: Palette, *, indent: str, texts: bool = True) -> Iterable[str]:
    """One drifted resource with what would put it right; with `texts` also what changes in its text."""
    action = _ACTIONS.get(drift.action, Action.UNKNOWN)
    yield f"{indent}{palette.action(action, f'{action.symbol} {visible(drift.resource)}')}"
    yield from (f"{indent}    {visible_line(line)}" for line in drift.differences)
    if texts:
        yield from (f"{indent}      {_diff_line(line, palette, verbose=False)}" for line in drift.diff)


_ACTIONS = {action.value: action for action in Action}
