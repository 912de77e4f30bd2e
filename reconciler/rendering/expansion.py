"""One rendering of a node for one host: forEach opened, when decided, fields filled, identity taken.

Called by the renderer. Without secrets there is one scope, in which secrets are only named. With them there are two:
what is wanted comes from the clear one, who it is (id, name, fingerprint) from the opaque one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.model.canonical import digest
from reconciler.model.metadata import Path
from reconciler.rendering.compiled import is_template
from reconciler.rendering.outline import Node
from reconciler.rendering.rendered import Form, resource_id
from reconciler.rendering.scope import Scope
from reconciler.rendering.secret import NotKnown, Secret, UnknownItem, declared, secrets_in
from reconciler.rendering.trouble import Trouble, Troubled
from reconciler.resources.values import dataclass, field, replace

MAX_ITEMS = 10_000
"""Resources of an app on a host, those included that a condition leaves out."""
_VISIBLE = frozenset({"argv", "unless", "onlyIf", "validate", "check", "command", "cwd"})
"""Fields of which every user of the host can see what they hold while it runs."""


@dataclass(frozen=True, slots=True)
class View:
    """What a node sees, and what is not known of whether it is wanted at all."""

    opaque: Scope
    clear: Scope | None = None
    """Only where the secrets are given."""
    unknown: str = ""
    hidden: str = ""
    """As `unknown`, for someone who has no secrets."""

    def with_item(self, key: Any, opaque: Any, clear: Any) -> View:
        below = self.clear.with_item(key, clear) if self.clear else None
        return replace(self, opaque=self.opaque.with_item(key, opaque), clear=below)

    def doubted(self, outcome: Outcome) -> View:
        """The view below something that is perhaps not known."""
        if not outcome.unknown and not outcome.hidden:
            return self
        return replace(self, unknown=self.unknown or outcome.unknown, hidden=self.hidden or outcome.hidden)


class Outcome(NamedTuple):
    """What something evaluates to, and why it is not known (then the value is None)."""

    value: Any
    unknown: str
    opaque: Any
    hidden: str
    """Why it is not known without the secrets."""

    @property
    def shown(self) -> Any:
        """The value, with markers in the place of secrets that are only named."""
        return _shown(self.value)


@dataclass(slots=True)
class Expansion:
    """Collects the resources and the troubles of one node."""

    picked: Mapping[str, Any]
    """The values that the node reads, for the fingerprint of what is unknown."""
    fingerprint: Callable[[Any], str] = digest
    """Of what is wanted."""
    resources: list[Form] = field(default_factory=list)
    troubles: list[tuple[Path, Trouble]] = field(default_factory=list)
    items: int = 0
    """How many nodes were looked at, for each item of a forEach once."""

    def add(self, node: Node, view: View) -> None:
        """Render a node and all in it."""
        try:
            self._add(node, view)
        except Troubled as error:
            self.troubles += [(node.path, trouble) for trouble in error.troubles]

    def _add(self, node: Node, view: View) -> None:
        for inside in (view,) if node.for_each is None else self._items(node, view):
            self.items += 1
            if self.items > MAX_ITEMS:
                raise Troubled([too_many()])
            decided = self.decided(node.when, node.path, inside)
            if decided is None:
                continue
            if not node.is_block:
                self._resource(node, decided)
            for below in node.nodes:
                self._add(below, decided)

    def value(self, raw: Any, path: Path, view: View) -> Outcome:
        """A value of the bundle, with all texts in it rendered."""
        return self._evaluated(path, view, lambda scope: scope.whole(raw))

    def check(self, raw: Mapping[str, Any], path: Path, view: View) -> Outcome:
        """A health check, or a metric of the app's own, whose command is the bare argv."""
        command = raw.get("command") or {}
        shown = (
            [command[name] for name in sorted(_VISIBLE & command.keys())] if isinstance(command, dict) else [command]
        )
        for value in shown:
            self._hide(path, self.value(value, path, view), view)
        return self.value(raw, path, view)

    def _items(self, node: Node, view: View) -> Iterator[View]:
        """The views inside a forEach."""
        outcome = self._evaluated((*node.path, "forEach"), view, lambda scope: _pairs(scope, node.for_each))
        below = view.doubted(outcome)
        if outcome.unknown:
            item = UnknownItem(outcome.unknown)
            yield below.with_item(item, item, item)
            return
        for index, (key, item) in enumerate(outcome.value or ()):
            known = UnknownItem(outcome.hidden) if outcome.hidden else outcome.opaque[index][1]
            yield below.with_item(key, known, item)

    def decided(self, when: Any, path: Path, view: View) -> View | None:
        """The view after the `when` of what stands at `path`; None where that is not wanted."""
        if when is None:
            return view
        outcome = self._evaluated((*path, "when"), view, lambda scope: _truth(scope, when))
        return view.doubted(outcome) if outcome.unknown or outcome.value else None

    def _resource(self, node: Node, view: View) -> None:
        opaque = dict(node.constant)
        fields = opaque if view.clear is None else dict(node.constant)
        for slot in node.slots:
            outcome = self._evaluated(slot.path, view, slot.fill)
            if slot.name in _VISIBLE:
                self._hide(slot.path, outcome, view)
            view = view.doubted(outcome)
            fields[slot.name if outcome.unknown else slot.becomes] = slot.raw if outcome.unknown else outcome.value
            opaque[slot.name if outcome.hidden else slot.becomes] = slot.raw if outcome.hidden else outcome.opaque
        given = node.raw.get("name")
        if given is not None and is_template(given):
            given = self.value(given, (*node.path, "name"), view).opaque
        self._finish(node, view, None if given is None else str(given), fields, opaque)

    def _hide(self, path: Path, outcome: Outcome, view: View) -> None:
        """Refuse a secret in a command line, by whatever way it got there."""
        seen = set(_paths(outcome.opaque))
        if outcome.hidden and view.clear is not None:
            seen |= view.clear.secrets_within(outcome.value)
        if seen:
            told = f"secret {', '.join(sorted(seen))} would stand in a command line, for every user to see"
            self.troubles.append((path, Trouble("", 0, "secret-in-argv", told, "Use env or stdin")))

    def _finish(self, node: Node, view: View, name: str | None, fields: dict[str, Any], opaque: dict[str, Any]) -> None:
        kind: str = node.raw["kind"]
        named = frozenset(_paths([value for field, value in opaque.items() if field not in node.constant]))
        shown = _shown(opaque) if named else opaque
        identity = node.identity or resource_id(kind, name, shown)
        wanted = ["unknown", node.raw, self.picked] if view.hidden else [identity, shown]
        if view.clear is not None and (missing := sorted(set(_paths(fields)))):
            told = f"no value was given for secret {', '.join(missing)}"
            self.troubles.append((node.path, Trouble("", 0, "secret-missing", told)))
        try:
            fingerprint = self.fingerprint(wanted)
        except (TypeError, ValueError) as error:
            self.troubles.append((node.path, Trouble("", 0, "template-error", f"a field cannot be written: {error}")))
            return
        self.resources.append(
            Form(
                id=identity,
                kind=kind,
                name=name or identity,
                fields=shown if fields is opaque else _shown(fields),
                keep=node.keep,
                fingerprint=fingerprint,
                secrets=self._secrets(view, fields, named),
                unknown=view.unknown,
                path=node.path,
            )
        )

    def _secrets(self, view: View, fields: dict[str, Any], named: frozenset[str]) -> tuple[str, ...]:
        """Secrets that the fields name, hold or may be derived from."""
        found = named
        if view.hidden:
            found |= secrets_in(declared(self.picked))
        if view.clear is not None and view.clear.secrets:
            found |= view.clear.secrets_within(fields)
        return tuple(sorted(found)) if found else ()

    def _evaluated(self, path: Path, view: View, work: Callable[[Scope], Any]) -> Outcome:
        """Evaluate without secrets, and with them where they are given; troubles are noted."""
        opaque, hidden, fine = self._attempt(path, view.opaque, work)
        if view.clear is None or not fine:
            return Outcome(opaque, hidden, opaque, hidden)
        value, unknown, _ = self._attempt(path, view.clear, work)
        return Outcome(value, unknown, opaque, hidden)

    def _attempt(self, path: Path, scope: Scope, work: Callable[[Scope], Any]) -> tuple[Any, str, bool]:
        try:
            return work(scope), "", True
        except NotKnown as error:
            return None, str(error), True
        except Troubled as error:
            told = error.troubles if scope.secrets is None else tuple(map(_discreet, error.troubles))
            self.troubles += [(path, trouble) for trouble in told]
            return None, "", False


def too_many() -> Trouble:
    """The trouble of an app with more resources than a host can have of it."""
    return Trouble("", 0, "template-limit", f"it makes more than {MAX_ITEMS:,} resources of one host")


def _discreet(trouble: Trouble) -> Trouble:
    """A trouble that only shows up with the secrets' values, without any of them in its message."""
    return Trouble(trouble.template, trouble.line, trouble.code, "it fails with the values that its secrets have")


def _pairs(scope: Scope, raw: Any) -> list[tuple[Any, Any]]:
    """Keys and items of a forEach."""
    given = scope.expression(raw) if isinstance(raw, str) else scope.whole(raw)
    if isinstance(given, Secret):
        given.refuse()
    if isinstance(given, dict):
        return list(given.items())
    if isinstance(given, list):
        return list(enumerate(given))
    kind = "null" if given is None else type(given).__name__
    raise Troubled([Trouble("", 0, "for-each", f"forEach takes a list or a map, not {kind}")])


def _truth(scope: Scope, when: Any) -> bool:
    return bool(scope.expression(when)) if isinstance(when, str) else bool(when)


def _shown(value: Any) -> Any:
    """A value with the markers of secrets as text."""
    if isinstance(value, Secret):
        return value.shown
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from value.paths
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _paths(item)
