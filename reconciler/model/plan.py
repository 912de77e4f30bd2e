"""A plan: what an apply would do, host by host; made by the planner, shown by reports, carried out by executors."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from reconciler.model.canonical import digest
from reconciler.model.observed import Drift
from reconciler.resources.values import dataclass, field

NEVER_LOOKED = "never looked at on this host"
"""The reason of a change that is unknown because nobody has looked there yet."""


class Action(enum.Enum):
    """What happens to a resource. Unknown is never shown as no change."""

    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    UNKNOWN = "unknown"

    @property
    def symbol(self) -> str:
        return {"add": "+", "change": "~", "delete": "-", "unknown": "?"}[self.value]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would not stay as it is."""

    resource: str
    """Resource id, `kind:key`."""
    action: Action
    before: str = ""
    """Fingerprint of what was last applied; empty where there was nothing."""
    after: str = ""
    reason: str = ""
    """Why, where the diff does not say: `secret webapp/mysql_pass changed`, `depends on a fact not known yet`."""
    diff: tuple[str, ...] = ()
    """Lines of a unified diff of rendered text, or `field: old -> new`; secrets are opaque."""


@dataclass(frozen=True, slots=True)
class AppPlan:
    """One app on one host. With no change it only brings the signed statement up to date."""

    host: str
    app: str
    changes: tuple[Change, ...] = ()
    follow_ups: tuple[str, ...] = ()
    """Restarts and reloads that will follow: `reload nginx (site changes)`."""
    left_behind: tuple[str, ...] = ()
    """What leaves the manifests and stays on the host, and why: `package:nginx-light stays (prune: all removes it)`."""
    drift: tuple[Drift, ...] = ()
    """Differences that nobody intended, found since the last look."""
    held: str = ""
    """Why this app is not applied now: paused, maintenance, rejected, waits for approval."""


@dataclass(frozen=True)
class Plan:
    """Every app and host where something would happen, sorted; equal inputs give an equal plan."""

    revision: str
    hosts: tuple[str, ...]
    """All hosts that the plan looked at."""
    apps: tuple[AppPlan, ...]
    resources: Mapping[str, int] = field(default_factory=dict)
    """App -> how many resources it has over all hosts, for the guard's percentage."""
    refused: str = ""
    """Why an apply would refuse this plan, as people read it; empty when it would not."""
    against: str = ""
    """The revision that it was compared with, where no host was asked."""
    forgotten: tuple[str, ...] = ()
    """Hosts that left the manifests: forgotten, not touched."""

    @cached_property
    def id(self) -> str:
        """A hash of every (host, app, resource, action, before, after), in whichever order they are listed."""
        shared = {id(plan.changes): plan.changes for plan in self.apps}
        prints = {key: _print(changes) for key, changes in shared.items()}
        steps = [[p.host, p.app, prints[id(p.changes)]] for p in self.apps if p.changes]
        drift = [[p.host, p.app, d.resource, d.action, list(d.differences)] for p in self.apps for d in p.drift]
        return digest([sorted(steps), sorted(drift)] if drift else sorted(steps))[:16]

    def changes(self) -> Iterator[tuple[AppPlan, Change]]:
        """All changes with the app they belong to, in order."""
        for app in self.apps:
            for change in app.changes:
                yield app, change

    @cached_property
    def counts(self) -> Mapping[Action, int]:
        """How many changes of each action."""
        found = Counter(change.action for _, change in self.changes())
        return {action: found[action] for action in Action}

    @property
    def drifted(self) -> int:
        """How many resources no longer look as they were left."""
        return sum(len(app.drift) for app in self.apps)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell people: no change, no unknown, no drift."""
        return not any(app.changes or app.drift for app in self.apps)


def _print(changes: tuple[Change, ...]) -> str:
    """One hash of an app's changes. Hosts share such tuples, so that a plan of a large fleet hashes few of them."""
    return digest(sorted([c.resource, c.action.value, c.before, c.after] for c in changes))
