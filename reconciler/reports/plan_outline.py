"""A plan as people should see it: what is equal on many hosts once, the general before the special.

Plan reports for terminals and for Markdown share this outline and the last line; it knows nothing of their syntax.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciler.model.observed import Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.reports.words import count, natural, revision_text, short
from reconciler.resources.values import dataclass

VARIANTS = 5
"""A resource whose change looks different on more groups of hosts than this is shown in full for the first three."""

EACH_ITS_OWN = "looks different on each of these hosts, -v shows all"


@dataclass(frozen=True, slots=True)
class Section:
    """What is the same for some hosts of an app."""

    app: str
    hosts: tuple[str, ...]
    held: str = ""
    changes: tuple[Change, ...] = ()
    follow_ups: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftSection:
    """Drift that is the same on some hosts of an app."""

    app: str
    hosts: tuple[str, ...]
    drift: tuple[Drift, ...]


_WHOLE_FILE = re.compile(r"@@ (?:-0,0 |-\S+ \+0,0 )")
"""A hunk's header that says only that all lines are new, or all gone."""

_Item = Change | tuple[str, str]
"""A change, or ("then" | "left", text)."""


def sections(plan: Plan, *, verbose: bool = False) -> tuple[Section, ...]:
    """Intended changes by app; within an app the largest group of hosts first. Apps with nothing to tell are absent."""
    parts: dict[tuple[str, str], list[AppPlan]] = defaultdict(list)
    for app_plan in plan.apps:
        parts[app_plan.app, app_plan.held].append(app_plan)
    found: list[Section] = []
    for (app, held), app_plans in sorted(parts.items()):
        found += _sections(app, held, app_plans, verbose=verbose)
    return tuple(found)


def drift_sections(plan: Plan) -> tuple[DriftSection, ...]:
    """Drift by app, the largest group of hosts first."""
    hosts: dict[tuple[str, Drift], list[str]] = defaultdict(list)
    for app_plan in plan.apps:
        for drift in app_plan.drift:
            hosts[app_plan.app, drift].append(app_plan.host)
    groups: dict[tuple[str, tuple[str, ...]], list[Drift]] = defaultdict(list)
    for (app, drift), names in hosts.items():
        groups[app, _ordered(names)].append(drift)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0], *_general_first(group[0][1])))
    return tuple(DriftSection(app, names, tuple(drift)) for (app, names), drift in ordered)


def changed_hosts(plan: Plan) -> frozenset[str]:
    """Hosts on which at least one resource changes or is unknown."""
    return frozenset(app.host for app in plan.apps if app.changes)


def last_line(plan: Plan) -> str:
    """The line that ends every plan, the same for a dry run and an apply."""
    if plan.empty and plan.against:
        return (
            f"No changes between {short(plan.against)} and {short(plan.revision)} on {count(len(plan.hosts), 'host')}."
        )
    if plan.empty:
        verb = "matches" if len(plan.hosts) == 1 else "match"
        return f"No changes. {count(len(plan.hosts), 'host')} {verb} {revision_text(plan.revision)}."
    numbers = plan.counts
    hosts = count(len(changed_hosts(plan)), "host")
    drift = f"; {plan.drifted} drifted" if plan.drifted else ""
    return (
        f"Plan: {numbers[Action.ADD]} to add, {numbers[Action.CHANGE]} to change, "
        f"{numbers[Action.DELETE]} to delete, {numbers[Action.UNKNOWN]} unknown on {hosts}{drift}."
    )


def refusal(plan: Plan) -> str:
    """What an apply would say instead of going ahead; empty where it would not."""
    return f"An apply would be refused: {plan.refused.removeprefix('Refused: ')}" if plan.refused else ""


def held_changes(plan: Plan) -> int:
    """How many of the plan's changes wait for something."""
    return sum(len(app.changes) for app in plan.apps if app.held)


def _sections(app: str, held: str, app_plans: Sequence[AppPlan], *, verbose: bool) -> Iterable[Section]:
    items = {app_plan.host: list(_items(app_plan)) for app_plan in app_plans}
    hosts: dict[_Item, list[str]] = defaultdict(list)
    for host, told in items.items():
        for item in told:
            hosts[item].append(host)
    if not verbose:
        hosts = _without_variants(hosts)
    groups: dict[tuple[str, ...], list[_Item]] = defaultdict(list)
    for item, names in hosts.items():
        groups[_ordered(names)].append(item)
    idle = _ordered(host for host, told in items.items() if held and not told)
    if idle:
        yield Section(app, idle, held)
    for group in sorted(groups, key=_general_first):
        yield _section(app, held, group, groups[group])


def _items(app_plan: AppPlan) -> Iterable[_Item]:
    """What is shown of an app on a host. Fingerprints are not shown, so they do not keep equal diffs apart."""
    for change in app_plan.changes:
        diff = tuple(line for line in change.diff if not _WHOLE_FILE.match(line))
        yield Change(change.resource, change.action, reason=change.reason, diff=diff)
    yield from (("then", text) for text in dict.fromkeys(app_plan.follow_ups))
    yield from (("left", text) for text in dict.fromkeys(app_plan.left_behind))


def _without_variants(hosts: dict[_Item, list[str]]) -> dict[_Item, list[str]]:
    variants: dict[tuple[str, Action], list[Change]] = defaultdict(list)
    for item in hosts:
        if isinstance(item, Change):
            variants[item.resource, item.action].append(item)
    folded: dict[_Item, Change] = {}
    for (resource, action), changes in variants.items():
        if len(changes) > VARIANTS:
            rest = sorted(changes, key=lambda change: _general_first(hosts[change]))[3:]
            folded.update(dict.fromkeys(rest, Change(resource, action, reason=EACH_ITS_OWN)))
    result: dict[_Item, list[str]] = defaultdict(list)
    for item, names in hosts.items():
        result[folded.get(item, item)] += names
    return result


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=natural))


def _general_first(hosts: Sequence[str]) -> tuple[int, Sequence[object]]:
    return -len(hosts), [natural(host) for host in hosts]


def _section(app: str, held: str, hosts: tuple[str, ...], items: Sequence[_Item]) -> Section:
    texts: dict[str, list[str]] = {"then": [], "left": []}
    changes: list[Change] = []
    for item in items:
        if isinstance(item, Change):
            changes.append(item)
        else:
            texts[item[0]].append(item[1])
    return Section(app, hosts, held, tuple(changes), tuple(texts["then"]), tuple(texts["left"]))
