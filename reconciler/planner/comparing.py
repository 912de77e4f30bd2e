"""One rendered resource against what is known of it: a `Change`, or None where nothing would happen.

Called by `diff`. Equal comparisons give one shared `Change`, however many hosts they are made for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from reconciler.model.plan import NEVER_LOOKED, Action, Change
from reconciler.planner.follow_ups import FollowUps
from reconciler.planner.text_diff import field_differences, text_differences
from reconciler.rendering import RenderedResource
from reconciler.resources.failure import Failure
from reconciler.resources.kinds.registry import parse
from reconciler.resources.kinds.resource import Resource
from reconciler.resources.protocol import ResourceEvent, Wanted
from reconciler.resources.values import dataclass

NOT_KEPT = "what was there before is not known here"
GUARD_DECIDES = "its guard decides on the host"
_GUARDS = frozenset({"unless", "onlyIf", "creates"})
_HOW = {"file": frozenset({"validate"}), "service": frozenset({"restartOn", "reloadOn", "check"})}
"""Fields that say how a thing is changed and not what it is: of themselves they change nothing on a host."""

KEPT = 10_000
"""How many comparisons are kept, so that hosts share them."""

_Pair: TypeAlias = tuple[str, str, str]
"""Resource id, and its fingerprints before and after."""
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")
Before: TypeAlias = Callable[[], Mapping[str, RenderedResource]]
"""Renders what was last applied of an app; nothing where its bundle is not at hand."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is known of an app's secrets since they were last applied; no value stands here."""

    known: bool
    """Whether both fingerprints are there to compare."""
    paths: tuple[str, ...]
    """All secrets of the app: one of them changed, or may have."""

    def judge(self, read: tuple[str, ...]) -> tuple[Action, str]:
        """What it means for a resource that reads some of these secrets.

        One fingerprint covers all secrets of an app, so only a resource that reads all of them changed for certain.
        """
        shown = " or ".join(read)
        if not self.known:
            return Action.UNKNOWN, f"secret {shown}: unknown whether changed"
        if set(read) >= set(self.paths):
            return Action.CHANGE, f"secret {shown} changed"
        return Action.UNKNOWN, f"secret {shown}: one of {', '.join(self.paths)} changed"


class Comparer:
    """Compares resources, and shares equal changes and what follows from them."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, Action, str, str, str], Change] = {}
        self._tuples: dict[tuple[int, ...], tuple[Change, ...]] = {}
        self._pairs: dict[_Pair, Change | None] = {}
        self.follow_ups = FollowUps()

    def all_unseen(self, resources: tuple[RenderedResource, ...]) -> tuple[Change, ...]:
        """Changes of an app that was never here, on a host where nothing is known: one tuple for equal renderings."""
        changes = tuple(change for resource in resources if (change := self.found(resource, None)))
        return _kept(self._tuples).setdefault(tuple(map(id, changes)), changes)

    def owned(
        self,
        wanted: RenderedResource,
        print_before: str,
        before: Before,
        rotation: Rotation | None,
        look: ResourceEvent | None = None,
    ) -> Change | None:
        """A resource that we wrote before."""
        now = wanted.fingerprint
        if wanted.unknown:
            return self._share(wanted.id, Action.UNKNOWN, print_before, now, wanted.unknown)
        if now != print_before:
            return self._rewritten(wanted, (wanted.id, print_before, now), before, look)
        if rotation is None or not wanted.secrets:
            return None
        action, reason = rotation.judge(wanted.secrets)
        return self._share(wanted.id, action, print_before, now, reason)

    def found(self, wanted: RenderedResource, look: ResourceEvent | None, failed: str = "") -> Change | None:
        """A resource that we never wrote, with what a look at the host found, or why the last run failed on it."""
        if wanted.unknown:
            return self._share(wanted.id, Action.UNKNOWN, "", wanted.fingerprint, wanted.unknown)
        if look is None:
            return self._share(wanted.id, Action.UNKNOWN, "", wanted.fingerprint, failed or NEVER_LOOKED)
        return self._looked_at(wanted, look)

    def _looked_at(self, wanted: RenderedResource, look: ResourceEvent) -> Change | None:
        match look.action:
            case "add":
                return self._shared_addition(wanted)
            case "change":
                return Change(wanted.id, Action.CHANGE, "", wanted.fingerprint, diff=_looked(wanted, look))
            case "delete":
                return self._share(wanted.id, Action.DELETE, "", wanted.fingerprint, "")
            case "failed":
                if look.differences:  # it was looked at, and an apply would refuse to touch it
                    reason = f"{look.error}. {look.hint}" if look.hint else look.error
                    return Change(wanted.id, Action.UNKNOWN, "", wanted.fingerprint, reason, _looked(wanted, look))
                return self._share(
                    wanted.id, Action.UNKNOWN, "", wanted.fingerprint, f"cannot be looked at: {look.error}"
                )
            case _:
                return None

    def leaving(self, resource: str, print_before: str) -> Change:
        """A resource of ours that nothing wants any more."""
        return self._share(resource, Action.DELETE, print_before, "", _PRUNED.get(resource.partition(":")[0], ""))

    def _rewritten(
        self, wanted: RenderedResource, pair: _Pair, before: Before, look: ResourceEvent | None
    ) -> Change | None:
        """Fingerprints identify renderings, so equal pairs of them differ in equal lines."""
        if look is not None and look.action == "ok":
            return None
        if pair in self._pairs:
            return self._pairs[pair]
        old = before().get(wanted.id)
        if old is None or old.fingerprint != pair[1]:
            action = Action.DELETE if is_absent(wanted) else Action.CHANGE
            if look is None or action is Action.DELETE:
                return Change(pair[0], action, pair[1], pair[2], NOT_KEPT)
            return Change(pair[0], action, pair[1], pair[2], diff=_looked(wanted, look))
        change = None if _declared_only(old, wanted) else self._redeclared(old, wanted)
        _kept(self._pairs)[pair] = change
        return change

    def _redeclared(self, old: RenderedResource, wanted: RenderedResource) -> Change:
        guarded = wanted.kind == "command" and not _GUARDS.isdisjoint(wanted.fields)
        action = Action.UNKNOWN if guarded else _turn(old, wanted)
        fresh = {} if action is Action.ADD else old.fields
        lines = () if action is Action.DELETE else field_differences(fresh, wanted.fields)
        reason = GUARD_DECIDES if guarded else ""
        return Change(wanted.id, action, old.fingerprint, wanted.fingerprint, reason, lines)

    def _shared_addition(self, wanted: RenderedResource) -> Change | None:
        key = (wanted.id, "", wanted.fingerprint)
        if key not in self._pairs:
            text = wanted.fields.get("content")
            lines = text_differences("", text) if isinstance(text, str) else ()
            _kept(self._pairs)[key] = Change(wanted.id, Action.ADD, "", wanted.fingerprint, diff=lines)
        return self._pairs[key]

    def _share(self, resource: str, action: Action, before: str, after: str, reason: str) -> Change:
        key = (resource, action, before, after, reason)
        found = self._changes.get(key)
        if found is None:
            found = _kept(self._changes)[key] = Change(resource, action, before, after, reason)
        return found


def _kept(memory: dict[_Key, _Kept]) -> dict[_Key, _Kept]:
    """A memory with room for one more."""
    if len(memory) >= KEPT:
        memory.clear()
    return memory


_PRUNED = {"user": "locked, and our keys removed", "service": "stopped and disabled"}
"""Kinds for which a delete is less than it says."""


def is_absent(resource: RenderedResource) -> bool:
    """Whether the resource wants a thing to be gone."""
    return bool(resource.field("state") == "absent")


def _declared_only(old: RenderedResource, wanted: RenderedResource) -> bool:
    """Whether it is declared differently and yet means the same thing on the host."""
    kept = wanted.kind == "file" and wanted.fields.get("replace") is False and not is_absent(old)
    how = _HOW.get(wanted.kind, frozenset()) | ({"content", "replace"} if kept else set())
    before = {name: value for name, value in old.fields.items() if name not in how}
    now = {name: value for name, value in wanted.fields.items() if name not in how}
    if before == now:
        return True
    if wanted.kind == "command":
        return False  # whatever is written differently there, it runs again
    given = {name: value for name, value in wanted.fields.items() if name in how}
    meant = _understood(wanted.kind, {**before, **given})
    return meant is not None and meant == _understood(wanted.kind, {**now, **given})


def _understood(kind: str, fields: Mapping[str, Any]) -> Resource | None:
    """The resource as hosts understand it, defaults filled in; None where only a host could tell, as with secrets."""
    try:
        return parse(Wanted(kind, kind, kind, fields, ""), sandbox=False).resource
    except Failure:
        return None


def _turn(old: RenderedResource, wanted: RenderedResource) -> Action:
    if is_absent(wanted):
        return Action.DELETE
    return Action.ADD if is_absent(old) else Action.CHANGE


def _looked(wanted: RenderedResource, look: ResourceEvent) -> tuple[str, ...]:
    """What the look says, and the diff of the text where the file may be shown and holds no secret."""
    text = wanted.fields.get("content")
    if look.before is None or wanted.secrets or not isinstance(text, str):
        return look.differences
    others = (line for line in look.differences if line != "content")
    return (*others, *text_differences(look.before, text))
